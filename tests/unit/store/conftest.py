"""Every store test runs on SQLite, and on PostgreSQL where that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from chatapp.store import Conversations, Database, Messages
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
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/chat.db"
    server: str = request.getfixturevalue("postgres_url")
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    return server.removesuffix("postgres") + name


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    database = Database(url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def conversations(db: Database) -> Conversations:
    return Conversations(db)


@pytest.fixture
def messages(db: Database) -> Messages:
    return Messages(db, "here")
