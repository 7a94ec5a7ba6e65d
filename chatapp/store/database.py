"""The connection: SQLite in WAL mode or PostgreSQL, migrated in-process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from chatapp.errors import StorageError
from chatapp.store.failures import translated

_BUSY_SECONDS = 10
# Any number does, as long as no other program on that server locks the same one.
_MIGRATION_LOCK = 7_203_141_592
_WRITES = "chatapp_writes"


class Database:
    """One database, by SQLAlchemy URL. Safe to use from many threads.

    Raises:
        StorageError: the URL is no SQLite file and no PostgreSQL database.
    """

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self.name = _shown(self._url)
        """The file or the server, as error sentences name it."""
        self._engine = _engine(self._url)

    def migrate(self) -> None:
        """Create the tables, or bring an older database up to date. Safe in several processes.

        Raises:
            StorageError: not a database, not reachable, or made by a newer version of this app.
        """
        if self._sqlite:
            self._make_folder()
        with translated(self.name):
            if self._sqlite:
                self._use_write_ahead_log()
            with self._engine.execution_options(**{_WRITES: True}).begin() as connection:
                if not self._sqlite:
                    lock = text("SELECT pg_advisory_xact_lock(:key)")
                    connection.execute(lock, {"key": _MIGRATION_LOCK})
                self._upgrade(connection)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only looks."""
        with translated(self.name), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that changes something: all of it or, after an exception, nothing."""
        with translated(self.name), Session(self._engine, expire_on_commit=False) as session:
            session.connection(execution_options={_WRITES: True})
            yield session
            session.commit()

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def _make_folder(self) -> None:
        folder = Path(self._url.database or "").absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The data folder {folder} cannot be made: {error.strerror}. "
                "Set CHATAPP_DATA to a folder that may be written."
            ) from error

    def _use_write_ahead_log(self) -> None:
        """Readers then never wait for a writer. The mode is kept in the file."""
        with self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("PRAGMA journal_mode = WAL")

    def _upgrade(self, connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "chatapp.store:migrations")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StorageError(
                f"The database {self.name} was made by a newer version of this app. "
                "Update the app, or name another database."
            ) from error


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StorageError("The database URL cannot be read; is it a SQLAlchemy URL?") from None
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise StorageError(
            f"The database URL begins with {parsed.drivername}, but only sqlite:/// and "
            "postgresql+psycopg:// are known."
        )
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StorageError("A SQLite database must be a file: sqlite:///path/to/chat.db")
    return parsed


def _shown(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.database or ''} on {url.host or 'this machine'}"


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        # Ask a pooled connection whether it still lives before it is used.
        return create_engine(url, pool_pre_ping=True)
    patience = {} if "timeout" in url.query else {"timeout": _BUSY_SECONDS}
    engine = create_engine(url, connect_args=patience)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Every new SQLite connection."""
    assert isinstance(connection, sqlite3.Connection)
    # The driver would begin transactions by its own rules; ours are in _begin.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # With the write-ahead log this survives a killed process; a power cut may lose the last
    # moments, but never damages the file (sqlite.org/wal.html).
    connection.execute("PRAGMA synchronous = NORMAL")
    # SQLite's own function knows only ASCII; the search must find "ÄRGER" by "ärger".
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(value: str | None) -> str | None:
    return None if value is None else value.lower()


def _begin(connection: Connection) -> None:
    """A writer queues for the lock at once: upgrading a reader fails without any waiting."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
