"""One collection's index: it follows the database and is saved now and then."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

from chatapp.knowledge.base import PassageSource
from chatapp.knowledge.index_folder import IndexFolder
from chatapp.knowledge.snapshot import Snapshot

log = logging.getLogger(__name__)

_PATIENCE = 1.0
"""Seconds that a search waits for another that is reading new passages."""

_UNSAVED = 2_000
_SAVED_EVERY = 30.0
_UNSEALED, _UNSEALED_SHARE = 500, 0.1
_DEAD, _DEAD_SHARE = 1_000, 0.25


class CollectionIndex:
    """The passages of one collection in the vectors of one embedder. Any thread may call it.

    Args:
        embedder, dimension: name and size of the vectors.
        folder: where it is saved.
    """

    def __init__(
        self,
        source: PassageSource,
        collection_id: str,
        embedder: str,
        dimension: int,
        folder: Path,
    ) -> None:
        self._source = source
        self._collection_id = collection_id
        self._embedder = embedder
        self._dimension = dimension
        self._folder = IndexFolder(folder)
        self._changing = threading.Lock()
        self._sealing = False
        self._snapshot: Snapshot | None = None
        self._saved: Snapshot | None = None
        self._saved_at = time.monotonic()

    def current(self) -> Snapshot:
        """The collection as the database has it now.

        While other threads read many new passages, or seal, it may be the one before: passages
        that are new are missing then, and removed ones are in it.
        """
        revision = self._source.revision(self._collection_id)
        snapshot = self._snapshot
        if snapshot is not None and snapshot.revision == revision:
            return snapshot
        patience = -1.0 if snapshot is None else 0.0 if self._sealing else _PATIENCE
        if not self._changing.acquire(timeout=patience):
            return self._snapshot or Snapshot.empty(self._dimension)
        try:
            return self._follow()
        finally:
            self._changing.release()

    @property
    def wants_care(self) -> bool:
        """Whether ``care`` would do something; it takes a moment, so not while someone waits."""
        snapshot = self._snapshot
        if snapshot is None or snapshot is self._saved:
            return False
        rows = len(snapshot.ids) - len(self._saved.ids) if self._saved else len(snapshot.ids)
        waited = time.monotonic() - self._saved_at
        return _wants_seal(snapshot) or abs(rows) >= _UNSAVED or waited >= _SAVED_EVERY

    def care(self) -> None:
        """Seal if it is time to, and save."""
        with self._changing:
            snapshot = self._snapshot
            if snapshot is not None and _wants_seal(snapshot):
                self._sealing = True
                try:
                    self._snapshot = snapshot.sealed()
                finally:
                    self._sealing = False
        self.save()

    def save(self) -> None:
        """Write down what is not saved yet. A disk that refuses is only logged: the database
        has it all."""
        with self._changing:
            snapshot = self._snapshot
            if snapshot is None or snapshot is self._saved:
                return
            self._saved_at = time.monotonic()
            try:
                if self._folder.save(snapshot):
                    self._saved = snapshot
            except OSError as error:
                log.warning("The index of %s was not saved: %s", self._collection_id, error)

    def _follow(self) -> Snapshot:
        """Read what changed; with the lock."""
        before = self._snapshot or self._folder.load(self._dimension)
        if self._snapshot is None:
            self._saved = before
        # Asked before the passages: what comes in between is read now, and once more later.
        revision = self._source.revision(self._collection_id)
        if before is None or before.revision > revision:
            before = Snapshot.empty(self._dimension)  # none was saved, or the database is another
        snapshot = before
        if snapshot.revision != revision:
            since = snapshot.revision
            if len(snapshot.ids):
                removed = self._source.removed_since(self._collection_id, since)
                snapshot = snapshot.without(removed)
            for batch in self._source.added_since(self._collection_id, self._embedder, since):
                snapshot = snapshot.added(batch)
                if self._snapshot is not None:  # searches may have it as it grows
                    self._snapshot = replace(snapshot, revision=-1)
            snapshot = replace(snapshot, revision=revision)
        self._snapshot = snapshot
        return snapshot


def _wants_seal(snapshot: Snapshot) -> bool:
    sealed, beside = snapshot.dense.sealed_rows, snapshot.dense.unsealed_rows
    return beside > _UNSEALED + sealed * _UNSEALED_SHARE or (
        snapshot.dead > _DEAD + len(snapshot) * _DEAD_SHARE
    )
