"""Keeps converted weights: each part of a model is made once, whole, or not at all.

A part (``tokenizer``, ``openvino``, ``dense``) is a folder with a ``manifest.json`` that says from
what and by which version of the converter it was made. It is built under another name, flushed to
the disk and then renamed, so that neither a kill nor a power cut leaves half a part behind.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from chatapp.engine.models.conversion import Progress
from chatapp.errors import ModelError

Facts = dict[str, str | int]

_MANIFEST = "manifest.json"
_LOCK_SECONDS = 1800
"""Longest wait for another process that prepares the same model; a 7B model takes minutes."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The parts of one model under ``root``."""

    root: Path

    @contextmanager
    def alone(self, report: Progress) -> Iterator[None]:
        """Hold the folder: other processes wait. Clears what a killed one left behind.

        Raises:
            ModelError: another process has held it for half an hour.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root.with_name(f".{self.root.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            report("Waiting for another process that prepares this model", None)
            try:
                lock.acquire(timeout=_LOCK_SECONDS)
            except Timeout:
                raise ModelError(
                    f"Another process has been preparing {self.root} for half an hour. Stop it and "
                    "start again."
                ) from None
        try:
            for leftover in self.root.glob(".*"):
                _remove(leftover)
            yield
        finally:
            lock.release()

    def part(self, name: str) -> Path:
        """Where a part lies once it is made."""
        return self.root / name

    def facts(self, name: str, version: int) -> Facts | None:
        """What was noted when the part was made; None if it has to be made (again)."""
        try:
            manifest = json.loads((self.part(name) / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(manifest, dict) or manifest.get("converter") != version:
            return None
        facts = manifest.get("facts")
        return facts if isinstance(facts, dict) else None

    def build(self, name: str, version: int, facts: Facts, make: Callable[[Path], None]) -> None:
        """Make a part: ``make`` fills the folder it is given. Call it while ``alone``."""
        draft = self.root / f".{name}.{secrets.token_hex(4)}"
        draft.mkdir()
        try:
            make(draft)
            manifest = {"converter": version, "facts": facts}
            (draft / _MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
            for path in draft.rglob("*"):
                flush(path)
            flush(draft)
            if self.part(name).exists():
                self.part(name).rename(self.root / f".{name}.old.{secrets.token_hex(4)}")
            draft.rename(self.part(name))
            flush(self.root)
        finally:
            for leftover in self.root.glob(f".{name}.*"):
                _remove(leftover)


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        ModelError: fewer than ``needed`` bytes are free in ``folder``.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{purpose} needs about {in_megabytes(needed)} in {folder}, but only "
            f"{in_megabytes(free)} are free. Free some space, or set CHATAPP_DATA to a folder on a "
            "larger disk.",
            needed=needed,
            available=free,
        )


def in_megabytes(count: int) -> str:
    """A size for people, e.g. ``98 MB``."""
    return f"{-(-count // 1_000_000):,} MB"


def bytes_under(folder: Path) -> int:
    """Size of all files below ``folder``, which may change meanwhile."""
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(directory) / name).stat().st_size
            except FileNotFoundError:
                continue  # it has just been moved
    return total


def flush(path: Path) -> None:
    """Have the disk hold what was written to a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
