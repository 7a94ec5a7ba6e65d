"""Turns what a database driver says into the sentence a person can act on."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chatapp.errors import StorageError

log = logging.getLogger(__name__)

_BUSY = "SQLITE_BUSY"
_SQLITE = {
    "SQLITE_FULL": "The disk is full, so the database {name} cannot grow. Free some space.",
    _BUSY: "The database {name} is locked by another program. Please try again in a moment.",
    "SQLITE_LOCKED": "The database {name} is locked by another program. Try again in a moment.",
    "SQLITE_NOTADB": "The file {name} is damaged or is no SQLite database. "
    "Move it away or restore a backup.",
    "SQLITE_CORRUPT": "The file {name} is damaged. Move it away or restore a backup.",
    "SQLITE_READONLY": "The database {name} cannot be written. "
    "Check the permissions of the file and its folder.",
    "SQLITE_CANTOPEN": "The database {name} cannot be opened. "
    "Check that its folder exists and may be written.",
    "SQLITE_IOERR": "The disk failed while reading or writing the database {name}.",
}
_RETRYABLE = {_BUSY, "SQLITE_LOCKED"}
_DISK_FULL = "53100"


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Let only StorageErrors out; ``name`` is the file or the server they talk about."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _storage_error(error, name) from error


def _storage_error(error: SQLAlchemyError, name: str) -> StorageError:
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        # Extended codes such as SQLITE_IOERR_WRITE refine the first two words.
        kind = "_".join(getattr(cause, "sqlite_errorname", "").split("_")[:2])
        if kind in _SQLITE:
            failure = StorageError(_SQLITE[kind].format(name=name))
            failure.retryable = kind in _RETRYABLE
            return failure
    if getattr(cause, "sqlstate", None) == _DISK_FULL:
        return StorageError(f"The disk of the database {name} is full. Free some space.")
    if isinstance(error, DBAPIError) and _unreachable(error, cause):
        failure = StorageError(f"The database {name} cannot be reached. Is it running?")
        failure.retryable = True
        return failure
    log.error("The database %s refused a statement", name, exc_info=error)
    return StorageError(f"The database {name} refused: {_first_line(cause or error)}.")


def _unreachable(error: DBAPIError, cause: BaseException | None) -> bool:
    """PostgreSQL: the connection is gone, or never came to be (then there is no SQL state)."""
    state = getattr(cause, "sqlstate", None)
    lost = error.connection_invalidated or (state or "").startswith(("08", "57P"))
    never = type(cause).__name__ == "OperationalError" and state is None
    return not isinstance(cause, sqlite3.Error) and (lost or never)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
