"""Every store test runs on SQLite, and on PostgreSQL where that is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from chatapp.knowledge_records import Collection
from chatapp.store import Collections, Conversations, Database, Documents, Faqs, Messages
from chatapp.store.tables import Base
from tests.unit.store.postgres import Postgres, programs


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    server = Postgres(found)
    yield server.url
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path}/data/chat.db"
    return _created(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with empty tables, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "chat.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[Database]:
    """A PostgreSQL database for one test after the other: making one takes a second."""
    database = Database(_created(postgres_url))
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def db(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> Iterator[Database]:
    """A database with empty tables."""
    if backend == "sqlite":
        copy = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "chat.db")
        database = Database(f"sqlite:///{copy}")
        yield database
        database.close()
        return
    shared: Database = request.getfixturevalue("migrated_postgres")
    with shared.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != "passage_ids":
                session.execute(table.delete())
    yield shared


def _created(server: str) -> str:
    """The URL of a new database on a PostgreSQL server."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    return server.removesuffix("postgres") + name


@pytest.fixture
def conversations(db: Database) -> Conversations:
    return Conversations(db)


@pytest.fixture
def messages(db: Database) -> Messages:
    return Messages(db, "here")


@pytest.fixture
def collections(db: Database) -> Collections:
    return Collections(db)


@pytest.fixture
def collection(collections: Collections) -> Collection:
    return collections.create("public")


@pytest.fixture
def documents(db: Database) -> Documents:
    return Documents(db)


@pytest.fixture
def faqs(db: Database) -> Faqs:
    return Faqs(db)
