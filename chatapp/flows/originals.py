"""The files that documents were read from, each kept once, under a name made of its content."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from pathlib import Path, PurePosixPath

from chatapp.errors import DocumentError, StorageError
from chatapp.flows.uploads import Readable

_BLOCK = 1024**2
_DRAFT = ".draft-"
_ENDING = re.compile(r"\.[a-z0-9]{1,10}")


class Originals:
    """A folder of files that never change.

    Args:
        folder: made when the first file comes.
        max_bytes: larger files are refused.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def path(self, file: str) -> Path:
        """Where a kept file is."""
        return self._folder / file

    def keep(self, name: str, stream: Readable) -> tuple[str, int]:
        """Copy a file; it appears whole, or not at all.

        Returns:
            The kept file's name (its SHA-256 in hex, and the ending of ``name``), and its bytes.

        Raises:
            DocumentError: it is empty, too large, or reading it failed.
            StorageError: the disk refused.
        """
        draft: Path | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, made = tempfile.mkstemp(dir=self._folder, prefix=_DRAFT)
            draft = Path(made)
            with os.fdopen(handle, "wb") as file:
                digest, size = hashlib.sha256(), 0
                while block := stream.read(_BLOCK):
                    size += len(block)
                    if size > self._max_bytes:
                        raise DocumentError(
                            f"{name} is larger than {self._max_bytes / 1024**2:,.0f} MB, which is "
                            "the limit. Split it, or raise CHATAPP_MAX_UPLOAD_MB."
                        )
                    digest.update(block)
                    file.write(block)
                if not size:
                    raise DocumentError(f"{name} is empty.")
                file.flush()
                os.fsync(file.fileno())
            kept = digest.hexdigest() + _ending(name)
            draft.replace(self.path(kept))
        except OSError as error:
            raise StorageError(
                f"{name} cannot be stored in {self._folder}: {error.strerror}. Free some space, or "
                "set CHATAPP_DATA to another folder."
            ) from error
        finally:
            if draft is not None:
                draft.unlink(missing_ok=True)
        return kept, size

    def sweep(self, needed: set[str], older_than: float) -> int:
        """Remove files that nothing needs and that have been here for so many seconds.

        Returns:
            How many.
        """
        gone = 0
        latest = time.time() - older_than
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path.name not in needed and path.stat().st_mtime < latest:
                path.unlink(missing_ok=True)
                gone += 1
        return gone


def hash_of(file: str) -> str:
    """The SHA-256, in hex, of what a kept file holds."""
    return file.partition(".")[0]


def _ending(name: str) -> str:
    ending = PurePosixPath(name).suffix.lower()
    return ending if _ENDING.fullmatch(ending) else ""
