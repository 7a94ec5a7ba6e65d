"""Who still uses something that is to be let go."""

from __future__ import annotations

import asyncio


class Occupancy:
    """Counts the requests that run somewhere or wait for it. For one event loop."""

    def __init__(self) -> None:
        self._users = 0
        self.idle = asyncio.Event()
        """Set while there are none."""
        self.idle.set()

    def enter(self) -> None:
        """One more."""
        self._users += 1
        self.idle.clear()

    def leave(self) -> None:
        """One less."""
        self._users -= 1
        if not self._users:
            self.idle.set()
