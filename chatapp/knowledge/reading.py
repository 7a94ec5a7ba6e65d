"""Reads files in a child process: a hostile one can end that process, but not the app."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from chatapp.errors import DocumentError
from chatapp.knowledge.reading_process import Finished, Problem, ReadingProcess
from chatapp.knowledge_records import LoadedDocument

_log = logging.getLogger(__name__)

_MEMORY_MB = 2_048
_SILENCE = 300.0


class Reader:
    """Reads documents, each in a child process whose memory and time are bounded.

    A child is kept for the next file, and goes away by itself when none comes. Any thread may
    read; readings at the same time have a child each.

    Args:
        memory_mb: resident memory above which a child is ended.
        silence: seconds without progress after which it is.
    """

    def __init__(self, memory_mb: int = _MEMORY_MB, silence: float = _SILENCE) -> None:
        self._memory_mb = memory_mb
        self._silence = silence
        self._lock = threading.Lock()
        self._idle: list[ReadingProcess] = []
        self._busy: set[ReadingProcess] = set()

    def read(
        self, path: Path, name: str, progress: Callable[[int, int], None]
    ) -> Iterator[LoadedDocument]:
        """Read the file ``path``, uploaded as ``name``: one document, or one for each of its rows.

        ``progress`` hears pages (slides, sheets, rows) done and their total, 0 when unknown. What
        it raises ends the reading at once, and so does closing the iterator.

        Raises:
            DocumentError: the file cannot be read, and what to do.
        """
        child = self._begin(path, name)
        usable = False
        try:
            for said in child.answers(self._memory_mb, self._silence):
                match said:
                    case LoadedDocument():
                        yield said
                    case Finished():
                        usable = True
                        return
                    case Problem():
                        usable = True
                        if said.detail:
                            _log.warning("%s could not be read:\n%s", name, said.detail)
                        raise DocumentError(said.sentence, **said.facts)
                    case (done, total):
                        progress(done, total)
            raise self._died(child, name)
        finally:
            self._release(child, usable)

    def close(self) -> None:
        """End every child; a reading that is under way fails."""
        with self._lock:
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for child in busy:
            child.end("stopped")
        for child in idle:
            child.close()

    def _begin(self, path: Path, name: str) -> ReadingProcess:
        """A child that has begun to read; one that waited may just have gone away."""
        while True:
            with self._lock:
                waited = bool(self._idle)
                child = self._idle.pop() if waited else ReadingProcess()
                self._busy.add(child)
            if child.ask(path, name):
                return child
            self._release(child, usable=False)
            if not waited:
                raise DocumentError(
                    f"{name} could not be read: the program that reads documents did not start. "
                    "The server may be short of memory.",
                    file=name,
                )

    def _release(self, child: ReadingProcess, usable: bool) -> None:
        with self._lock:
            self._busy.discard(child)
            keep = usable and not self._idle
            if keep:
                self._idle.append(child)
        if not keep:
            child.close()

    def _died(self, child: ReadingProcess, name: str) -> DocumentError:
        status = child.close()
        _log.warning("Reading %s ended with status %s (%s).", name, status, child.ended_for)
        match child.ended_for:
            case "memory":
                told = f"needs more than {self._memory_mb:,} MB of memory to be read. Split it."
            case "silence":
                told = (
                    f"was given up after {self._silence:.0f} seconds on one page or part of it. "
                    "Split it, or save it in another format."
                )
            case "stopped":
                told = "was not read to its end, as reading was stopped. Upload it again."
            case _:
                told = (
                    "ended the program that read it; it may be damaged. Open it in the program "
                    "it comes from, save it again and upload that."
                )
        return DocumentError(f"{name} {told}", file=name)
