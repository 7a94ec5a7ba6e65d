"""A batch: files that were uploaded together, kept and queued one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from uuid import uuid4

from chatapp.errors import DocumentError
from chatapp.flows.originals import Originals
from chatapp.flows.uploads import Readable
from chatapp.store.ingest_files import IngestFiles


class Batch:
    """Grows while files come; a worker may begin with the first of them meanwhile."""

    def __init__(
        self,
        files: IngestFiles,
        originals: Originals,
        collection_id: str,
        tags: Sequence[str] = (),
    ) -> None:
        self.id = uuid4().hex
        self._files = files
        self._originals = originals
        self._collection_id = collection_id
        self._tags = tags
        self._names: set[str] = set()

    def add(self, name: str, open_file: Callable[[], AbstractContextManager[Readable]]) -> None:
        """Keep a copy of a file and queue it; one that cannot be taken is queued as failed.

        Raises:
            StorageError: the database or the disk refused.
        """
        name = self._own(name)
        try:
            with open_file() as stream:
                kept, size = self._originals.keep(name, stream)
        except DocumentError as error:
            self.refuse(name, error)
        else:
            self._files.add(self._collection_id, self.id, name, kept, size, self._tags)

    def refuse(self, name: str, error: DocumentError) -> None:
        """Note why a file or an archive is not taken in."""
        self._files.add(
            self._collection_id, self.id, name, "", 0, self._tags, refused=error.sentence
        )

    def _own(self, name: str) -> str:
        """The name, numbered where another file of the batch has it: two folders may well have a
        file of one name, and neither is to replace the other."""
        path, own, number = PurePosixPath(name), name, 1
        while own in self._names:
            number += 1
            own = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        self._names.add(own)
        return own
