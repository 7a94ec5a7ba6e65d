"""What the disk refuses while somebody teaches becomes a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatapp.errors import StorageError


@contextmanager
def kept_in(folder: Path, what: str) -> Iterator[None]:
    """
    Raises:
        StorageError: ``what`` cannot be kept in ``folder``, and why.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what} cannot be kept in {folder}: {error.strerror or error}. Free some space, or "
            "set CHATAPP_DATA to another folder."
        ) from error
