"""How fast files are being taken in, as seen from the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chatapp.knowledge_records import IngestFile

_LONG_ENOUGH: Final = 1.0
"""Seconds of watching below which a rate would be a guess."""


@dataclass(frozen=True, slots=True)
class _Seen:
    step: str
    done: int
    at: float


class Pace:
    """Remembers where each file stood when its step was first seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def watch(self, files: Sequence[IngestFile]) -> None:
        """Look at the files of the moment; those that ended are forgotten."""
        working = {file.id: file for file in files if file.status == "working"}
        now = self._clock()
        for id_, file in working.items():
            seen = self._seen.get(id_)
            if seen is None or seen.step != file.step or file.done < seen.done:
                self._seen[id_] = _Seen(file.step, file.done, now)
        for file in files:
            if file.status != "working":
                self._seen.pop(file.id, None)

    def rate(self, file: IngestFile) -> float | None:
        """Pages or passages a second in the step it is at; None while that is unknown."""
        seen = self._seen.get(file.id)
        if seen is None or seen.step != file.step:
            return None
        watched, done = self._clock() - seen.at, file.done - seen.done
        return done / watched if watched >= _LONG_ENOUGH and done > 0 else None
