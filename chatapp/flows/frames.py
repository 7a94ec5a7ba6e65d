"""An answer's events at the pace a page can draw and a database can save."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from chatapp.events import Event, Queued, Token

_LONG = 4_000


class Frames:
    """Reads one answer in a task of its own and hands its tokens on in frames.

    The first token comes at once, the next ones together every 50 ms, and every 100 ms once the
    answer is long: each frame is saved and drawn whole, which costs more the longer it gets.
    Everything else comes at once. While a request waits, its last ``Queued`` is repeated now and
    then, so that its reader knows it is still alive.

    Args:
        source: the answer; closed when the reading ends, however it ends.
        quiet: seconds of silence after which a ``Queued`` is repeated.
    """

    def __init__(self, source: AsyncGenerator[Event, None], quiet: float = 20.0) -> None:
        self._source = source
        self._quiet = quiet
        self._pending: list[Event] = []
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self.stopped = False
        """Whether ``stop`` was called."""

    def stop(self) -> None:
        """End the answer; what was collected is still handed on. Any thread may call this."""
        self.stopped = True
        self._loop.call_soon_threadsafe(self._cancel)

    async def read(self) -> AsyncGenerator[Event, None]:
        """The events. Closing this closes the source, and so frees the engine's slot."""
        if self.stopped:
            return
        self._task = asyncio.create_task(self._collect())
        shown, due, last = 0, 0.0, None
        try:
            while True:
                if isinstance(last, Token) and not self._over.is_set():
                    await self._until(due)
                if not self._pending and not await self._more():
                    break
                # Without anything new, it was quiet for long.
                event = self._take() if self._pending else last
                if event is None or (event is last and not isinstance(event, Queued)):
                    continue
                yield event
                last = event
                if isinstance(event, Token):
                    shown += len(event.text)
                    due = self._loop.time() + (0.05 if shown < _LONG else 0.1)
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()

    async def _collect(self) -> None:
        try:
            async with aclosing(self._source) as events:
                async for event in events:
                    self._pending.append(event)
                    self._news.set()
        finally:
            self._over.set()
            self._news.set()

    async def _until(self, due: float) -> None:
        """Let tokens gather, but do not hold up an end."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._over.wait()

    async def _more(self) -> bool:
        """Wait for an event, or for a while; False when the source has ended."""
        self._news.clear()
        if not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._quiet):
                    await self._news.wait()
        return bool(self._pending) or not self._over.is_set()

    def _take(self) -> Event:
        """The next event; tokens that follow one another become one."""
        event = self._pending.pop(0)
        if isinstance(event, Token):
            texts = [event.text]
            while self._pending and isinstance(self._pending[0], Token):
                following = self._pending.pop(0)
                assert isinstance(following, Token)
                texts.append(following.text)
            return Token("".join(texts))
        return event
