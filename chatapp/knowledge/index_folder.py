"""An index on disk: a cache of the database that saves reading it again.

``manifest.json`` names the files of one moment with their sizes and checksums, and is replaced
in one step: whatever dies while saving, the old moment stays whole. Arrays are in numpy's own
format, vectors in FAISS's; nothing is pickled. What cannot be read is made anew.
"""

from __future__ import annotations

import logging
import os
import uuid
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from chatapp.knowledge.dense import DenseIndex
from chatapp.knowledge.lexical import LexicalIndex, Segment
from chatapp.knowledge.snapshot import Snapshot

log = logging.getLogger(__name__)

FORMAT = 1
"""Raised by every change to the files, or to what a term or a vector is."""

_MANIFEST = "manifest.json"

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _File:
    name: str
    size: int
    checksum: int


@dataclass(frozen=True)
class _Manifest:
    format: int
    revision: int
    dimension: int
    languages: list[str]
    sealed: _File | None
    tail: list[_File]
    segments: list[tuple[_File, _File, _File, _File]]
    rows: tuple[_File, _File, _File, _File, _File]

    def files(self) -> list[_File]:
        inside = [file for segment in self.segments for file in segment]
        sealed = [self.sealed] if self.sealed else []
        return [*sealed, *self.tail, *inside, *self.rows]


_AS_JSON = TypeAdapter(_Manifest)


class IndexFolder:
    """Where the index of one collection with one embedder is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved: dict[int, tuple[object, _File]] = {}
        """What is on disk already, by its identity; held, so that nothing else gets it."""

    def save(self, snapshot: Snapshot) -> bool:
        """Write it down; what did not change since the last time is not written again.

        Returns:
            False when another process is saving the same index just now.

        Raises:
            OSError: the disk refused; what was saved before is still whole.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._path / "lock", timeout=0):
                self._save(snapshot)
        except Timeout:
            return False
        return True

    def load(self, dimension: int) -> Snapshot | None:
        """What was saved last; None when there is nothing, or it is damaged or of another kind."""
        if not (self._path / _MANIFEST).exists():
            return None
        try:
            with FileLock(self._path / "lock", timeout=10):
                return self._load(dimension)
        # FAISS raises RuntimeError, pydantic and numpy ValueError.
        except (OSError, ValueError, RuntimeError) as error:
            log.warning("The index in %s is made anew: %s", self._path, error)
            return None

    def _save(self, snapshot: Snapshot) -> None:
        dense, lexical = snapshot.dense, snapshot.lexical
        there = self._saved
        self._saved = {}

        def written(thing: object, suffix: str, write: Callable[[Path], None]) -> _File:
            known = there.get(id(thing))
            if known is None or not (self._path / known[1].name).exists():
                known = (thing, self._write(suffix, write))
            self._saved[id(thing)] = known
            return known[1]

        def array(values: Array) -> _File:
            return written(values, ".npy", lambda path: np.save(path, values, allow_pickle=False))

        manifest = _Manifest(
            format=FORMAT,
            revision=snapshot.revision,
            dimension=dense.dimension,
            languages=sorted(lexical.languages),
            sealed=None
            if dense.sealed is None
            else written(dense.sealed, ".faiss", dense.save_sealed),
            tail=[array(part) for part in dense.tail],
            segments=[
                (array(one.terms), array(one.starts), array(one.rows), array(one.counts))
                for one in lexical.segments
            ],
            rows=(
                array(snapshot.ids),
                array(snapshot.documents),
                array(snapshot.languages),
                array(snapshot.alive),
                array(lexical.lengths),
            ),
        )
        self._commit(manifest)

    def _write(self, suffix: str, write: Callable[[Path], None]) -> _File:
        path = self._path / f"{uuid.uuid4().hex}{suffix}"
        write(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        return _File(path.name, path.stat().st_size, _checksum(path))

    def _commit(self, manifest: _Manifest) -> None:
        new = self._path / f"{_MANIFEST}.new"
        with new.open("wb") as file:
            file.write(_AS_JSON.dump_json(manifest))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path / _MANIFEST)
        kept = {file.name for file in manifest.files()}
        for path in self._path.iterdir():
            if path.suffix in (".npy", ".faiss") and path.name not in kept:
                path.unlink(missing_ok=True)

    def _load(self, dimension: int) -> Snapshot | None:
        manifest = _AS_JSON.validate_json((self._path / _MANIFEST).read_bytes())
        if manifest.format != FORMAT or manifest.dimension != dimension:
            return None
        self._check(manifest.files())
        dense = DenseIndex.empty(dimension)
        if manifest.sealed:
            dense = DenseIndex.load(self._path / manifest.sealed.name)
            self._saved[id(dense.sealed)] = (dense.sealed, manifest.sealed)
        dense = dense.with_tail(self._read(file) for file in manifest.tail)
        rows = [self._read(file) for file in manifest.rows]
        if {len(array) for array in rows} != {len(dense)}:
            raise ValueError("its files do not belong together")
        ids, documents, languages, alive, lengths = rows
        segments = tuple(Segment(*map(self._read, files)) for files in manifest.segments)
        lexical = LexicalIndex(segments, lengths, frozenset(manifest.languages))
        return Snapshot(manifest.revision, ids, documents, languages, alive, dense, lexical)

    def _read(self, file: _File) -> Array:
        array: Array = np.load(self._path / file.name, mmap_mode="r", allow_pickle=False)
        self._saved[id(array)] = (array, file)
        return array

    def _check(self, files: Iterable[_File]) -> None:
        for file in files:
            path = self._path / file.name
            if path.stat().st_size != file.size or _checksum(path) != file.checksum:
                raise ValueError(f"{file.name} is damaged")


def _checksum(path: Path) -> int:
    """CRC-32: against damage, not against malice; a gigabyte takes a second."""
    checksum = 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            checksum = zlib.crc32(part, checksum)
    return checksum
