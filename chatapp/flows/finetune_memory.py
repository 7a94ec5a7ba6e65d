"""Remembers what takes long to work out, until what it was worked out from has changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

_MOST = 12

T = TypeVar("T")


class Memory:
    """The last few results; two who ask for the same at once wait for one result.

    Results are shared: nobody may change them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, object] = OrderedDict()
        self._busy: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, work: Callable[[], T]) -> T:
        """What ``work`` gave for this key, or gives now; an error is not remembered."""
        with self._lock:
            turn = self._busy.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._known:
                    self._known.move_to_end(key)
                    return cast("T", self._known[key])
            try:
                made = work()
            finally:
                with self._lock:
                    self._busy.pop(key, None)
            with self._lock:
                self._known[key] = made
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
            return made
