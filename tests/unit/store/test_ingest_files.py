"""The queue of files: nobody works twice on one, and a killed worker loses none."""

from __future__ import annotations

import threading

import pytest

from chatapp.knowledge_records import Collection
from chatapp.store import Database, IngestFiles


@pytest.fixture
def files(db: Database) -> IngestFiles:
    return IngestFiles(db, "here")


def test_files_are_claimed_in_their_order(files: IngestFiles, collection: Collection) -> None:
    first = files.add(collection.id, "b1", "a.md", "hash.md", 7, ["tag"])
    second = files.add(collection.id, "b2", "b.md", "hash2.md", 8)
    assert (first.status, first.size, first.tags) == ("queued", 7, ("tag",))
    claimed = files.claim()
    assert claimed is not None
    assert (claimed.id, claimed.status) == (first.id, "working")
    assert files.progress(first.id, "embed", 3, 9, 9)
    shown = files.list(batch_id="b1")[0]
    assert (shown.step, shown.done, shown.total, shown.passages) == ("embed", 3, 9, 9)
    assert files.finish(first.id, "done", passages=9)
    assert [one.status for one in files.list(collection.id)] == ["done", "queued"]
    again = files.claim()
    assert again is not None
    assert again.id == second.id
    assert files.claim() is None


def test_a_refused_file_is_listed_with_its_reason(
    files: IngestFiles, collection: Collection
) -> None:
    refused = files.add(collection.id, "b", "big.pdf", "", 9, refused="It is too large.")
    assert (refused.status, refused.reason) == ("failed", "It is too large.")
    assert files.claim() is None


def test_a_stopped_file_stays_stopped(files: IngestFiles, collection: Collection) -> None:
    for name in ("a", "b", "c"):
        files.add(collection.id, "batch", name, name, 1)
    done = files.claim()
    assert done is not None
    files.finish(done.id, "done", passages=1)
    working = files.claim()
    assert working is not None
    files.stop("batch")
    assert not files.progress(working.id, "read", 1, 2, 0)
    assert not files.finish(working.id, "done", passages=1)
    assert [one.status for one in files.list(batch_id="batch")] == ["done", "stopped", "stopped"]


def test_what_a_killed_worker_had_is_queued_again(
    files: IngestFiles, collection: Collection
) -> None:
    added = files.add(collection.id, "b", "a", "a", 1)
    files.claim()
    files.progress(added.id, "embed", 1, 2, 2)
    assert files.release() == 1
    back = files.list(batch_id="b")[0]
    assert (back.status, back.step, back.done) == ("queued", "", 0)


def test_another_server_leaves_our_files_alone(
    db: Database, files: IngestFiles, collection: Collection
) -> None:
    files.add(collection.id, "b", "a", "a", 1)
    other = IngestFiles(db, "there")
    assert other.claim() is None
    assert files.claim() is not None
    assert other.release() == 0


def test_no_file_is_claimed_twice(files: IngestFiles, collection: Collection) -> None:
    for number in range(12):
        files.add(collection.id, "b", str(number), "x", 1)
    claimed: list[str] = []

    def work() -> None:
        while (one := files.claim()) is not None:
            claimed.append(one.name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(claimed, key=int) == [str(number) for number in range(12)]


def test_finished_files_are_forgotten_on_request(
    files: IngestFiles, collection: Collection
) -> None:
    files.add(collection.id, "b", "bad", "", 1, refused="No.")
    waiting = files.add(collection.id, "b", "good", "good.md", 1)
    assert files.kept_files() == {"good.md"}
    files.clear_finished(collection.id)
    assert files.list(collection.id) == [waiting]
