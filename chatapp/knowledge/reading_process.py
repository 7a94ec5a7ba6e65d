"""The child that reads, seen from the app: asked on its input, it answers on its output.

A request is a line ``{"path": …, "name": …}``. It is answered by lines, each a JSON object with
one key: first ``begun``, then any number of ``progress: [done, total]`` and ``document: {…}``, at
last ``end`` or ``error: {"sentence": …, "facts": {…}, "detail": …}``.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil
from pydantic import TypeAdapter

import chatapp
from chatapp.knowledge_records import LoadedDocument

_LOOK = 0.25
"""Seconds between two looks at the child."""

_PATIENCE = 10.0
"""Seconds that the system has to end a killed child."""

_DOCUMENT = TypeAdapter(LoadedDocument)

EndedFor = Literal["", "memory", "silence", "stopped"]


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole file has been read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it cannot be read; ``detail`` is for the log."""

    sentence: str
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    detail: str = ""


Answer = tuple[int, int] | LoadedDocument | Finished | Problem
"""Progress (done, total), a document, or how it ended."""


class ReadingProcess:
    """One child, started here.

    Attributes:
        ended_for: why it was ended; empty while it lives and when it ended by itself.
    """

    def __init__(self) -> None:
        self.ended_for: EndedFor = ""
        self._heard = time.monotonic()
        # Settings stay here: some are secrets, and none concerns the child.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CHATAPP_")}
        places = [str(Path(chatapp.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, places))
        # Each thread's arena of glibc reserves address space, which is limited in the child.
        kept["MALLOC_ARENA_MAX"] = "2"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chatapp.knowledge.reading_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, path: Path, name: str) -> bool:
        """Have it read a file; False when it is gone."""
        assert self._process.stdin is not None
        request = json.dumps({"path": str(path.absolute()), "name": name})
        try:
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            return False
        return b'"begun"' in self._line()

    def answers(self, memory_mb: int, silence: float) -> Iterator[Answer]:
        """What it says until the file is read or it is gone. It is ended when it takes more
        memory, or more seconds without a word; ``ended_for`` says so."""
        over = threading.Event()
        self._heard = time.monotonic()
        watch = threading.Thread(
            target=self._watch, args=(over, memory_mb, silence), daemon=True, name="reading-watch"
        )
        watch.start()
        try:
            while line := self._line():
                answer = _answer(line)
                # However long the answer is worked on, that is not the child's silence.
                self._heard = math.inf
                yield answer
                self._heard = time.monotonic()
                if isinstance(answer, Finished | Problem):
                    return
        finally:
            over.set()

    def end(self, reason: EndedFor) -> None:
        """Kill it; who hears its answers sees them end."""
        self.ended_for = self.ended_for or reason
        self._process.kill()

    def close(self) -> int:
        """Kill it if it lives, give back what it holds, and return its exit status."""
        self._process.kill()
        status = self._process.wait(_PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        return status

    def _line(self) -> bytes:
        """The next line; empty when it is gone, also where that cut a line off."""
        assert self._process.stdout is not None
        try:
            line = self._process.stdout.readline()
        except ValueError:
            return b""
        return line if line.endswith(b"\n") else b""

    def _watch(self, over: threading.Event, memory_mb: int, silence: float) -> None:
        while not over.wait(_LOOK):
            if self._memory_mb() > memory_mb:
                self.end("memory")
            elif time.monotonic() - self._heard > silence:
                self.end("silence")

    def _memory_mb(self) -> float:
        try:
            return float(psutil.Process(self._process.pid).memory_info().rss) / 1024**2
        except psutil.Error:
            return 0.0


def _answer(line: bytes) -> Answer:
    message = json.loads(line)
    if "progress" in message:
        done, total = message["progress"]
        return int(done), int(total)
    if "document" in message:
        return _DOCUMENT.validate_python(message["document"])
    if "error" in message:
        return Problem(**message["error"])
    return Finished()
