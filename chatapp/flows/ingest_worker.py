"""Works off the queue of files: one after the other, each all or nothing."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from chatapp.errors import ChatAppError
from chatapp.flows.originals import Originals, hash_of
from chatapp.flows.preparing import Preparation, embed
from chatapp.knowledge.base import heading_path
from chatapp.knowledge_records import Document, FileStatus, IngestFile
from chatapp.store.documents import Documents
from chatapp.store.ingest_files import IngestFiles

log = logging.getLogger(__name__)

_REPORT_SECONDS = 0.2
_RE_EMBEDDED_AT_ONCE = 256


class IngestWorker:
    """Takes in one file at a time. Blocking; ``leaving`` is for another thread."""

    def __init__(
        self,
        documents: Documents,
        files: IngestFiles,
        preparation: Preparation,
        originals: Originals,
    ) -> None:
        self._documents = documents
        self._files = files
        self._preparation = preparation
        self._originals = originals
        self._leaving = threading.Event()

    def begin(self) -> None:
        """Queue again what a killed process was working on. Nobody else may be working."""
        self._files.release()

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Meanwhile the work under way ends as soon as it can, and its file is queued again."""
        self._leaving.set()
        self._preparation.interrupt()
        yield
        # Not after an exception: then nobody waited until the work had ended.
        self._leaving.clear()

    def work_on_next(self) -> bool:
        """Take in the oldest queued file; False when none waits.

        Raises:
            StorageError: the database refused even to say how it ended.
        """
        file = self._files.claim()
        if file is None:
            return False
        report = _Report(self._files, file.id, self._leaving)
        try:
            status = self._take_in(file, report)
        except _Stopped:
            return True
        except Exception as error:  # noqa: BLE001  the reader is told, the log knows more
            if self._leaving.is_set():  # then a reading fails for that reason alone
                self._files.release()
            else:
                self._files.finish(file.id, "failed", _reason(file.name, error), report.passages)
        else:
            self._files.finish(file.id, status, passages=report.passages)
        return True

    def re_embed_some(self) -> bool:
        """Give some passages the vectors of the present embedder; False when all have them."""
        embedder = self._preparation.embedder()
        waiting = self._documents.without_vectors(embedder.name, _RE_EMBEDDED_AT_ONCE)
        if not waiting:
            return False
        try:
            texts = [(heading_path(one.title, one.heading), one.text) for one in waiting]
            vectors = embed(embedder, texts, self._check)
        except _Leaving:
            return False
        self._documents.add_vectors(embedder.name, [one.id for one in waiting], vectors)
        return True

    def sweep(self, older_than: float) -> None:
        """Remove originals that nothing refers to and that are here for so many seconds."""
        needed = self._documents.kept_files() | self._files.kept_files()
        self._originals.sweep(needed, older_than)

    def _take_in(self, file: IngestFile, report: _Report) -> FileStatus:
        known = self._documents.find(file.collection_id, file.name)
        if known is not None and _is_same(known, hash_of(file.file), file):
            return "done" if _taken_before(known, file, report) else "unchanged"
        status: FileStatus = "unchanged"
        path = self._originals.path(file.file)
        for group in self._preparation.groups(file, path, report.reading):
            old = self._documents.named(file.collection_id, [one.loaded.name for one in group])
            changed = []
            for one in group:
                twin = old.get(one.loaded.name)
                if twin is None or not _is_same(twin, one.content_hash, file):
                    changed.append(one)
                elif _taken_before(twin, file, report):
                    status = "done"
            if changed:
                embedder, ready = self._preparation.ready(changed, report)
                report.now("store")
                self._documents.replace(file.collection_id, embedder, ready)
                report.passages += sum(len(one.passages) for one in ready)
                status = "done"
        return status

    def _check(self, _done: int, _total: int) -> None:
        if self._leaving.is_set():
            raise _Leaving


class _Stopped(Exception):
    """Somebody took the file back."""


class _Leaving(Exception):
    """The work is to go on another time."""


class _Report:
    """Notes how far a file is, a few times a second, and hears whether to go on."""

    def __init__(self, files: IngestFiles, file_id: str, leaving: threading.Event) -> None:
        self._files = files
        self._file_id = file_id
        self._leaving = leaving
        self._due = 0.0
        self.passages = 0
        """Stored so far."""

    def __call__(self, step: str, done: int, total: int) -> None:
        if self._leaving.is_set():
            raise _Leaving
        if time.monotonic() >= self._due:
            self.now(step, done, total)
            self._due = time.monotonic() + _REPORT_SECONDS

    def reading(self, done: int, total: int) -> None:
        """So many pages or rows."""
        self("read", done, total)

    def now(self, step: str, done: int = 0, total: int = 0) -> None:
        """Note it at once."""
        if not self._files.progress(self._file_id, step, done, total, self.passages):
            raise _Stopped


def _is_same(document: Document, content_hash: str, file: IngestFile) -> bool:
    return document.content_hash == content_hash and set(file.tags) <= set(document.tags)


def _taken_before(document: Document, file: IngestFile, report: _Report) -> bool:
    """Whether a document came from this very file, by a process that was killed afterwards."""
    taken = document.created_at >= file.added_at
    report.passages += document.passages if taken else 0
    return taken


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, ChatAppError):
        return error.sentence
    reference = secrets.token_hex(3)
    log.error("Taking in %s failed (reference %s)", name, reference, exc_info=error)
    return f"{name} could not be taken in: something went wrong on our side ({reference})."
