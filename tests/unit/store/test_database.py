"""The database: migrated safely, and every refusal is a sentence."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from chatapp.errors import StorageError
from chatapp.store import Conversations, Database, Messages
from chatapp.store.tables import Base


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    """One of its own for every test: some do it harm."""
    database = Database(url)
    database.migrate()
    yield database
    database.close()


def test_migrating_twice_changes_nothing(db: Database) -> None:
    Conversations(db).create("ann", "tutor", "")
    db.migrate()
    assert len(Conversations(db).list("ann")) == 1


def test_the_migrations_make_the_tables_the_code_expects(db: Database) -> None:
    with db.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []


def test_many_processes_may_start_at_once(url: str) -> None:
    code = "import sys; from chatapp.store import Database; Database(sys.argv[1]).migrate()"
    children = [
        subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for child in children:
        _, said = child.communicate(timeout=60)
        assert child.returncode == 0, said.decode()
    Conversations(Database(url)).create("ann", "tutor", "")


def test_many_threads_may_write_at_once(conversations: Conversations, messages: Messages) -> None:
    chats = [conversations.create("ann", "tutor", "") for _ in range(8)]
    problems: list[Exception] = []

    def write(chat_id: str) -> None:
        try:
            _, answer = messages.ask(chat_id, None, "q", title="")
            for length in range(20):
                messages.write(answer.id, "x" * length)
        except Exception as error:  # noqa: BLE001  whatever it was, the test shows it
            problems.append(error)

    threads = [threading.Thread(target=write, args=(chat.id,)) for chat in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert all(conversations.branch("ann", chat.id)[-1].text == "x" * 19 for chat in chats)


def test_a_failed_change_leaves_nothing_behind(db: Database) -> None:
    conversations = Conversations(db)
    chat = conversations.create("ann", "tutor", "")
    with pytest.raises(RuntimeError):
        _fail_in_the_middle(db)
    assert conversations.get("ann", chat.id) == chat


def _fail_in_the_middle(db: Database) -> None:
    with db.write() as session:
        session.execute(text("DELETE FROM conversations"))
        raise RuntimeError("in the middle")


def test_a_newer_database_is_refused(db: Database) -> None:
    with db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="newer version"):
        db.migrate()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("mysql://host/x", "only sqlite:/// and"),
        ("postgresql://host/x", "only sqlite:/// and"),
        ("what is this", "cannot be read"),
    ],
)
def test_other_urls_are_refused(url: str, sentence: str) -> None:
    with pytest.raises(StorageError, match=sentence):
        Database(url)


def test_a_password_is_never_in_a_sentence() -> None:
    database = Database("postgresql+psycopg://me:hush@127.0.0.1:1/chats?connect_timeout=2")
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        database.migrate()
    assert caught.value.retryable
    assert "hush" not in caught.value.sentence


class TestSQLite:
    """What only a file can suffer."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "chat.db"

    @pytest.fixture
    def db(self, path: Path) -> Database:
        database = Database(f"sqlite:///{path}")
        database.migrate()
        return database

    def test_it_is_set_up_to_survive_a_kill(self, db: Database) -> None:
        with db.read() as session:
            settings = [
                session.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        assert settings == ["wal", 1, 1, 10_000]

    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"this is not a database, whatever its name says" * 100)
        with pytest.raises(StorageError, match=r"chat\.db is damaged or is no SQLite database"):
            Database(f"sqlite:///{path}").migrate()

    def test_a_damaged_file(self, db: Database, path: Path) -> None:
        chat = Conversations(db).create("ann", "tutor", "x" * 200_000)
        db.close()
        content = bytearray(path.read_bytes())
        content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
        path.write_bytes(content)
        with pytest.raises(StorageError, match=r"chat\.db is damaged"):
            Conversations(Database(f"sqlite:///{path}")).get("ann", chat.id)

    def test_a_full_disk(self, db: Database) -> None:
        messages = Messages(db)
        chat = Conversations(db).create("ann", "tutor", "")
        with db.read() as session:
            session.execute(text("PRAGMA max_page_count = 1"))  # SQLite keeps what is there
        with pytest.raises(StorageError, match=r"disk is full.*chat\.db") as caught:
            messages.add(chat.id, None, "user", "x" * 1_000_000)
        assert not caught.value.retryable
        assert Conversations(db).branch("ann", chat.id) == []

    def test_a_locked_file(self, db: Database, path: Path) -> None:
        impatient = Database(f"sqlite:///{path}?timeout=0.05")
        with (
            db.write(),
            pytest.raises(StorageError, match="locked by another program") as caught,
        ):
            Conversations(impatient).create("ann", "tutor", "")
        assert caught.value.retryable
        Conversations(impatient).create("ann", "tutor", "")

    def test_a_folder_that_cannot_be_made(self, path: Path) -> None:
        path.write_text("a file where a folder should be")
        with pytest.raises(StorageError, match="cannot be made"):
            Database(f"sqlite:///{path}/deeper/chat.db").migrate()

    def test_a_folder_in_place_of_the_file(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(StorageError, match="cannot be opened"):
            Database(f"sqlite:///{path}").migrate()
