"""Who may use the engine now, who waits, and who is sent away at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from chatapp.errors import EngineBusy


class Admission:
    """A fixed number of slots and a bounded first-come, first-served queue in front of them.

    For one event loop; nothing here is locked.
    """

    def __init__(self, max_running: int, max_waiting: int) -> None:
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._running = 0
        self._waiting: deque[Ticket] = deque()

    @property
    def running(self) -> int:
        """How many requests hold a slot."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return len(self._waiting)

    def ticket(self) -> Ticket:
        """Join: a slot if one is free, else the last place in the queue.

        The caller must ``release`` the ticket, whatever happens.

        Raises:
            EngineBusy: the queue is full.
        """
        if self._running < self._max_running and not self._waiting:
            self._running += 1
            return Ticket(self, running=True)
        if len(self._waiting) >= self._max_waiting:
            raise EngineBusy(self._running, len(self._waiting))
        ticket = Ticket(self, running=False)
        self._waiting.append(ticket)
        return ticket

    def _ahead_of(self, ticket: Ticket) -> int:
        return self._waiting.index(ticket) + 1

    def _leave(self, ticket: Ticket) -> None:
        if ticket.running:
            self._running -= 1
        else:
            self._waiting.remove(ticket)
        while self._waiting and self._running < self._max_running:
            self._waiting.popleft().admit()
            self._running += 1
        for other in self._waiting:
            other.moved.set()


class Ticket:
    """One request's place, in a slot or in the queue."""

    def __init__(self, admission: Admission, *, running: bool) -> None:
        self._admission = admission
        self._released = False
        self.running = running
        self.moved = asyncio.Event()

    def admit(self) -> None:
        """A slot became free."""
        self.running = True
        self.moved.set()

    async def positions(self) -> AsyncIterator[int]:
        """How many are ahead, each time that changes; the last value is 0, for a slot."""
        while not self.running:
            yield self._admission._ahead_of(self)
            await self.moved.wait()
            self.moved.clear()
        yield 0

    def release(self) -> None:
        """Give the place back; a second call does nothing."""
        if not self._released:
            self._released = True
            self._admission._leave(self)
