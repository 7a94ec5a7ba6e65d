"""Documents in: uploads are kept and queued, and worked off one file after the other.

Every file, and every few hundred rows of a file of rows, is one transaction. So a process that is
killed at any moment loses nothing and doubles nothing: what it worked on is queued again when the
next one begins, and what it had stored is found unchanged.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from chatapp.errors import ChatAppError, DocumentError, InvalidRequest, StorageError
from chatapp.flows.batches import Batch
from chatapp.flows.ingest_worker import IngestWorker
from chatapp.flows.originals import Originals
from chatapp.flows.preparing import Preparation
from chatapp.flows.titles import title_from
from chatapp.flows.uploads import Upload, files_of
from chatapp.knowledge_records import IngestFile
from chatapp.store.collections import Collections
from chatapp.store.documents import Documents
from chatapp.store.ingest_files import IngestFiles

__all__ = ["Ingest", "Upload"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_POLL_SECONDS = 0.5
_WATCH_SECONDS = 0.25
_PAUSE_SECONDS = 5.0
_RECHECK_SECONDS = 60.0
_SWEPT_AFTER = 86_400.0

_ARCHIVE_FACTOR = 10
"""An archive may unpack to as many files of the largest size."""

_UNFINISHED = ("queued", "working")


class Ingest:
    """Takes documents in, in one process of a data folder at a time.

    Args:
        collections, documents, files: where they go, and the queue.
        preparation: reads, splits and embeds.
        folder: the data folder; originals are kept in its ``documents/``.
        max_bytes: larger files are refused.
    """

    def __init__(
        self,
        collections: Collections,
        documents: Documents,
        files: IngestFiles,
        preparation: Preparation,
        folder: Path,
        max_bytes: int,
    ) -> None:
        self._collections = collections
        self._files = files
        self._originals = Originals(folder / "documents", max_bytes)
        self._worker = IngestWorker(documents, files, preparation, self._originals)
        self._lock_file = folder / "ingest.lock"
        self._most_unpacked = max_bytes * _ARCHIVE_FACTOR

    def add(self, collection_id: str, uploads: Sequence[Upload], tags: Sequence[str] = ()) -> str:
        """Keep copies of files, folders and archives, and queue them. Blocking.

        What cannot be taken is queued as failed, with the reason; the rest is not held up.

        Returns:
            The id of the batch, to be watched or stopped.

        Raises:
            NotFound: no such collection.
            StorageError: the database or the disk refused.
        """
        self._collections.by_id(collection_id)
        batch = Batch(self._files, self._originals, collection_id, tags)
        for upload in uploads:
            try:
                for file in files_of(upload, self._most_unpacked):
                    batch.add(file.name, file.open)
            except DocumentError as error:
                batch.refuse(upload.name, error)
        return batch.id

    def add_text(self, collection_id: str, title: str, text: str) -> str:
        """Queue a text that somebody typed, as a Markdown document of that title.

        Returns:
            The id of the batch.

        Raises:
            InvalidRequest: the text is empty.
            NotFound, StorageError: as for ``add``.
        """
        if not text.strip():
            raise InvalidRequest("The text is empty. Please write something first.")
        self._collections.by_id(collection_id)
        name = (" ".join(title.split()) or title_from(text)).replace("/", "-")
        batch = Batch(self._files, self._originals, collection_id)
        batch.add(f"{name}.md", lambda: io.BytesIO(text.encode("utf-8", "replace")))
        return batch.id

    def stop(self, batch_id: str) -> None:
        """Take back what is unfinished of a batch; what is stored stays. Blocking."""
        self._files.stop(batch_id)

    async def watch(self, batch_id: str) -> AsyncGenerator[Sequence[IngestFile], None]:
        """The files of a batch, whenever something about them changes, until all are finished."""
        shown: Sequence[IngestFile] | None = None
        while True:
            files = await asyncio.to_thread(self._files.list, None, batch_id)
            if files != shown:
                yield files
                shown = files
            if not any(file.status in _UNFINISHED for file in files):
                return
            await asyncio.sleep(_WATCH_SECONDS)

    async def run(self) -> None:
        """Work off the queue until cancelled, and give old passages the present embedder's
        vectors while nothing waits."""
        lock = self._lock()
        while not await asyncio.to_thread(_taken, lock):  # noqa: ASYNC110  another process has it
            await asyncio.sleep(_POLL_SECONDS)
        try:
            await self._work_on()
        finally:
            lock.release()

    async def finish(self, batch_id: str) -> None:
        """Work until this batch is finished, here or, where another process works, there.

        Raises:
            StorageError: the database or the disk refused.
        """
        lock = self._lock()
        while await asyncio.to_thread(self._is_unfinished, batch_id):
            if not await asyncio.to_thread(_taken, lock):
                await asyncio.sleep(_POLL_SECONDS)
                continue
            try:
                await self._undivided(self._worker.begin)
                while await asyncio.to_thread(self._is_unfinished, batch_id):
                    if not await self._undivided(self._worker.work_on_next):
                        await asyncio.sleep(_POLL_SECONDS)
            finally:
                lock.release()

    async def reembed(self) -> None:
        """Give every passage that has none a vector of the present embedder.

        Raises:
            ModelError: there is no embedder.
            StorageError: the database refused.
        """
        while await self._undivided(self._worker.re_embed_some):
            pass

    async def _work_on(self) -> None:
        begun = False
        recheck = 0.0
        while True:
            try:
                if not begun:
                    await self._undivided(self._worker.begin)
                    await self._undivided(lambda: self._worker.sweep(_SWEPT_AFTER))
                    begun = True
                if await self._undivided(self._worker.work_on_next):
                    continue
                if time.monotonic() >= recheck:
                    if await self._undivided(self._worker.re_embed_some):
                        continue
                    recheck = time.monotonic() + _RECHECK_SECONDS
                await asyncio.sleep(_POLL_SECONDS)
            except StorageError as error:
                log.error("Taking in documents pauses: %s", error)
                begun = False
                await asyncio.sleep(_PAUSE_SECONDS)
            except ChatAppError as error:
                log.error("Passages cannot be embedded: %s", error)
                recheck = time.monotonic() + _RECHECK_SECONDS

    async def _undivided(self, work: Callable[[], _T]) -> _T:
        """Do it in a thread. When cancelled, make the worker leave, and wait until it has."""
        future = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            with self._worker.leaving():
                await asyncio.wait({future})
            raise

    def _is_unfinished(self, batch_id: str) -> bool:
        return any(file.status in _UNFINISHED for file in self._files.list(batch_id=batch_id))

    def _lock(self) -> FileLock:
        # Taken in one thread and given back in another.
        return FileLock(self._lock_file, thread_local=False)


def _taken(lock: FileLock) -> bool:
    """Whether the lock is ours now; nobody waits for it."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True
