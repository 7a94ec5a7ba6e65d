"""Files of one JSON object a line, written by a process that may be killed in the middle of one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

Line = TypeVar("Line")


def read(path: Path, kind: TypeAdapter[Line]) -> Iterator[Line]:
    """The whole lines of a file; none where it is not there."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    for line in content.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        try:
            json.loads(line)
        except ValueError:  # torn by a kill, and ended by the next process
            continue
        yield kind.validate_json(line)


def append(path: Path, lines: Iterable[bytes]) -> None:
    """A line that was torn by a kill is ended first, so that it spoils no other."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(b"".join(line + b"\n" for line in lines))


def replace(path: Path, content: bytes) -> None:
    """The whole file or none of it, also when the machine stops now."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def version(path: Path) -> tuple[int, int]:
    """Another one after every ``replace``, also within one tick of the clock; zeros of no file."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_ino
