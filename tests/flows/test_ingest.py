"""Documents in: nothing is lost, nothing is doubled, and a bad file is nobody else's trouble."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatapp.errors import InvalidRequest, NotFound, StorageError
from chatapp.flows import ingest as module
from chatapp.flows.ingest import Upload
from chatapp.knowledge_records import IngestFile
from chatapp.store import Documents, IngestFiles
from tests.fake_knowledge import FakeEmbedder
from tests.fake_reader import FakeReader
from tests.flows.ingesting import LIMIT, Bench
from tests.flows.killed_ingest import expected, prepared


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(module, "_WATCH_SECONDS", 0.01)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def outcome(files: Sequence[IngestFile]) -> list[tuple[str, str]]:
    return [(file.name, file.status) for file in files]


def rows(**texts: str) -> str:
    return "\n".join(
        json.dumps({"id": id_, "title": "", "text": text}) for id_, text in texts.items()
    )


async def test_a_file_becomes_passages(bench: Bench) -> None:
    (file,) = await bench.take_in(bench.write("guide.txt", "Tents\nBoots"), tags=("Camping",))
    assert (file.status, file.passages, file.reason) == ("done", 2, None)
    assert bench.stored() == {"guide.txt": ["Tents", "Boots"]}
    (document,) = bench.documents.list(bench.collection.id)
    assert (document.kind, document.size, document.tags) == ("text", 11, ("camping",))
    assert document.file is not None
    assert document.file == document.content_hash + ".txt"
    assert (bench.folder / "documents" / document.file).read_text() == "Tents\nBoots"
    assert bench.documents.without_vectors(bench.embedder.name, 1) == []


async def test_the_same_file_again_changes_nothing(bench: Bench) -> None:
    guide = bench.write("guide.txt", "Tents")
    await bench.take_in(guide)
    revision = bench.documents.revision(bench.collection.id)
    (again,) = await bench.take_in(guide)
    assert (again.status, again.passages) == ("unchanged", 0)
    assert bench.reader.read_names == ["guide.txt"]
    assert bench.documents.revision(bench.collection.id) == revision
    (tagged,) = await bench.take_in(guide, tags=("new",))
    assert tagged.status == "done"
    assert bench.documents.list(bench.collection.id)[0].tags == ("new",)


async def test_a_changed_file_replaces_what_it_said(bench: Bench) -> None:
    await bench.take_in(bench.write("guide.txt", "Tents\nBoots"))
    (file,) = await bench.take_in(bench.write("guide.txt", "Boats"))
    assert file.status == "done"
    assert bench.stored() == {"guide.txt": ["Boats"]}


async def test_a_bad_file_does_not_hold_up_the_good_ones(bench: Bench) -> None:
    files = await bench.take_in(
        bench.write("a.txt", "one"),
        bench.write("bad.txt", "DAMAGED"),
        bench.write("empty.txt", ""),
        bench.write("huge.txt", "x" * (LIMIT + 1)),
        bench.write("blank.txt", "\n \n"),
        bench.write("bug.txt", "CRASH"),
        Upload("gone.txt", bench.folder / "gone.txt"),
        bench.write("z.txt", "two"),
    )
    told = {file.name: file.reason for file in files if file.status == "failed"}
    assert told.pop("bug.txt", "").startswith("bug.txt could not be taken in: something went wrong")
    assert told == {
        "bad.txt": "bad.txt is damaged.",
        "empty.txt": "empty.txt is empty.",
        "huge.txt": "huge.txt is larger than 0 MB, which is the limit. Split it, or raise "
        "CHATAPP_MAX_UPLOAD_MB.",
        "blank.txt": "blank.txt holds no text that could be read.",
        "gone.txt": "gone.txt cannot be opened: No such file or directory.",
    }
    assert bench.stored() == {"a.txt": ["one"], "z.txt": ["two"]}


async def test_folders_and_archives_are_taken_in_file_by_file(bench: Bench) -> None:
    bench.write("docs/guide.txt", "one")
    bench.write("docs/deep/guide.txt", "two")
    archive = bench.folder / "more.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("guide.txt", "three")
        packed.writestr("bad.txt", "DAMAGED")
    files = await bench.take_in(
        Upload("docs", bench.folder / "uploads" / "docs"), Upload("more.zip", archive)
    )
    assert outcome(files) == [
        ("deep/guide.txt", "done"),
        ("guide.txt", "done"),
        ("guide (2).txt", "done"),
        ("bad.txt", "failed"),
    ]
    assert bench.stored() == {
        "guide.txt": ["one"],
        "deep/guide.txt": ["two"],
        "guide (2).txt": ["three"],
    }


async def test_rows_are_documents_of_their_own(bench: Bench) -> None:
    (file,) = await bench.take_in(bench.write("rows.jsonl", rows(a="one\ntwo", b="three")))
    assert (file.status, file.passages) == ("done", 3)
    assert bench.stored() == {"a": ["one", "two"], "b": ["three"]}
    assert {one.file for one in bench.documents.list(bench.collection.id)} == {None}

    read = bench.embedder.read
    (changed,) = await bench.take_in(bench.write("rows.jsonl", rows(a="one\ntwo", b="four", c="5")))
    assert (changed.status, changed.passages) == ("done", 2)
    assert bench.stored() == {"a": ["one", "two"], "b": ["four"], "c": ["5"]}
    assert bench.embedder.read == read + 2
    (same,) = await bench.take_in(bench.write("rows.jsonl", rows(a="one\ntwo", b="four", c="5")))
    assert (same.status, same.passages) == ("unchanged", 0)


async def test_rows_before_a_bad_one_are_kept(bench: Bench) -> None:
    text = rows(a="one", b="two") + "\nDAMAGED"
    (file,) = await bench.take_in(bench.write("rows.jsonl", text))
    assert (file.status, file.passages) == ("failed", 2)
    assert file.reason == "rows.jsonl, line 3, is damaged."
    assert set(bench.stored()) == {"a", "b"}


async def test_a_typed_text_is_a_document(bench: Bench) -> None:
    batch = bench.ingest.add_text(bench.collection.id, "Opening / hours", "We open at 9.")
    await bench.ingest.finish(batch)
    assert bench.stored() == {"Opening - hours.md": ["We open at 9."]}
    with pytest.raises(InvalidRequest, match="text is empty"):
        bench.ingest.add_text(bench.collection.id, "Nothing", " \n")


async def test_only_a_collection_that_exists_takes_documents(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.ingest.add("nowhere", [bench.write("a.txt", "one")])
    batch = bench.add(bench.write("a.txt", "one"))
    bench.collections.delete(bench.collection.id)
    await bench.ingest.finish(batch)
    (file,) = bench.files.list(batch_id=batch)
    assert (file.status, file.reason) == (
        "failed",
        "There is no such collection. It may have been deleted.",
    )


async def test_a_watcher_sees_every_file_to_its_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FakeReader("b.txt"))
    batch = bench.add(bench.write("a.txt", "one"), bench.write("b.txt", "two"))
    seen: list[list[tuple[str, str]]] = []
    working = asyncio.create_task(bench.ingest.run())
    async for files in bench.ingest.watch(batch):
        seen.append(outcome(files))
        if files[1].status == "working" and files[1].step == "read":
            assert files[0].status == "done"
            bench.reader.go_on()
    assert seen[-1] == [("a.txt", "done"), ("b.txt", "done")]
    assert [("a.txt", "done"), ("b.txt", "working")] in seen
    await stopped(working)


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_batch_can_be_stopped(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FakeReader("b.txt"))
    batch = bench.add(*(bench.write(f"{name}.txt", name) for name in "abc"))
    working = asyncio.create_task(bench.ingest.finish(batch))
    await asyncio.to_thread(bench.reader.reached)
    bench.ingest.stop(batch)
    bench.reader.go_on()
    await working
    assert outcome(bench.files.list(batch_id=batch)) == [
        ("a.txt", "done"),
        ("b.txt", "stopped"),
        ("c.txt", "stopped"),
    ]
    assert set(bench.stored()) == {"a.txt"}


async def test_a_worker_that_is_cancelled_leaves_its_file_in_the_queue(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FakeReader("a.txt"))
    batch = bench.add(bench.write("a.txt", "one"))
    working = asyncio.create_task(bench.ingest.run())
    await asyncio.to_thread(bench.reader.reached)
    await stopped(working)
    assert outcome(bench.files.list(batch_id=batch)) == [("a.txt", "queued")]

    after = Bench(tmp_path)
    await after.ingest.finish(batch)
    assert after.stored() == {"a.txt": ["one"]}


async def test_two_processes_do_not_work_at_once(tmp_path: Path) -> None:
    app = Bench(tmp_path, FakeReader("a.txt"))
    first = app.add(app.write("a.txt", "one"))
    working = asyncio.create_task(app.ingest.run())
    await asyncio.to_thread(app.reader.reached)

    command = Bench(tmp_path)
    second = command.add(command.write("b.txt", "two"))
    finishing = asyncio.create_task(command.ingest.finish(second))
    app.reader.go_on()
    await finishing
    assert app.reader.read_names == ["a.txt", "b.txt"]
    assert command.reader.read_names == []
    assert outcome(app.files.list()) == [("a.txt", "done"), ("b.txt", "done")]

    # The one that waited takes over when the other ends in the middle.
    app.reader.held.add("c.txt")
    await stopped(working)
    third = command.add(command.write("c.txt", "three"))
    await command.ingest.finish(third)
    assert command.reader.read_names == ["c.txt"]
    assert first != second != third


async def test_another_embedder_reads_the_old_passages(tmp_path: Path) -> None:
    old = Bench(tmp_path)
    await old.take_in(old.write("a.txt", "one\ntwo"))
    new = Bench(tmp_path, embedder=FakeEmbedder("new"))
    assert len(new.documents.without_vectors("new", 9)) == 2
    await new.ingest.reembed()
    assert new.documents.without_vectors("new", 9) == []
    (batch,) = new.documents.added_since(new.collection.id, "new", 0)
    assert [one.text for one in batch.passages] == ["one", "two"]


async def test_an_idle_worker_does_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Bench(tmp_path)
    await old.take_in(old.write("a.txt", "one\ntwo"))
    kept = threading.Event()
    keep = Documents.add_vectors

    def add_vectors(*arguments: Any) -> None:
        keep(*arguments)
        kept.set()

    monkeypatch.setattr(Documents, "add_vectors", add_vectors)
    new = Bench(tmp_path, embedder=FakeEmbedder("new"))
    working = asyncio.create_task(new.ingest.run())
    assert await asyncio.to_thread(kept.wait, 10)
    await stopped(working)
    assert new.documents.without_vectors("new", 9) == []


async def test_a_worker_outlives_a_database_that_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
    claim = IngestFiles.claim
    away = iter([StorageError("The database cannot be reached."), None])

    def sometimes(files: IngestFiles) -> IngestFile | None:
        if error := next(away, None):
            raise error
        return claim(files)

    monkeypatch.setattr(IngestFiles, "claim", sometimes)
    batch = bench.add(bench.write("a.txt", "one"))
    working = asyncio.create_task(bench.ingest.run())
    async for _ in bench.ingest.watch(batch):
        pass
    await stopped(working)
    assert bench.stored() == {"a.txt": ["one"]}


async def test_originals_that_nobody_needs_are_swept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SWEPT_AFTER", -1.0)
    await bench.take_in(bench.write("a.txt", "one"))
    await bench.take_in(bench.write("a.txt", "two"))
    waiting = bench.add(bench.write("b.txt", "three"))
    (bench.folder / "documents" / ".draft-of-a-killed-process").write_text("half")
    assert len(list((bench.folder / "documents").iterdir())) == 4
    working = asyncio.create_task(bench.ingest.run())
    async for _ in bench.ingest.watch(waiting):
        pass
    await stopped(working)
    assert len(list((bench.folder / "documents").iterdir())) == 2


def test_kills_at_ten_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    bench, follow = prepared(tmp_path)
    child = subprocess.run(
        [sys.executable, "-m", "tests.flows.killed_ingest", str(tmp_path)],
        capture_output=True,
        timeout=120,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    kills = int(child.stdout)
    assert kills >= 10
    assert {file.status for file in bench.files.list()} == {"done"}
    assert bench.stored() == expected()
    assert bench.documents.without_vectors(bench.embedder.name, 1) == []
    assert follow() == sorted(text for texts in expected().values() for text in texts)
    assert len(bench.documents.list(bench.collection.id, limit=1_000)) == len(expected())
    counted = sum(file.passages for file in bench.files.list())
    assert counted == bench.collections.get("public").passages + len(["outdated"])
