from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from chatapp.knowledge import index as index_module
from chatapp.knowledge.index import CollectionIndex
from chatapp.knowledge.snapshot import Snapshot
from tests.fake_knowledge import FakeEmbedder, FakePassages


@pytest.fixture
def passages() -> FakePassages:
    return FakePassages(FakeEmbedder())


def opened(passages: FakePassages, folder: Path, embedder: str = "fake") -> CollectionIndex:
    return CollectionIndex(passages, "public", embedder, 64, folder)


def ids(snapshot: Snapshot) -> list[int]:
    return snapshot.ids[snapshot.alive].tolist()


def test_it_follows_the_database(passages: FakePassages, tmp_path: Path) -> None:
    index = opened(passages, tmp_path)
    assert ids(index.current()) == []

    first = passages.add("public", "a.md", "one", "two", "three", "four")
    passages.add("internal", "b.md", "not here")
    assert ids(index.current()) == first

    passages.remove(first[1], first[2])
    later = passages.add("public", "c.md", "five")
    assert ids(index.current()) == [first[0], first[3], *later]


def test_nothing_is_read_while_nothing_changes(passages: FakePassages, tmp_path: Path) -> None:
    passages.add("public", "a.md", "one")
    index = opened(passages, tmp_path)

    assert index.current() is index.current()


def test_a_document_that_comes_back_with_the_same_ids_is_found_once(
    passages: FakePassages, tmp_path: Path
) -> None:
    first = passages.add("public", "a.md", "one")
    index = opened(passages, tmp_path)
    index.current()
    passages.add_vectors("fake", first, passages.embedder.embed(["one"]))  # announced once more

    assert ids(index.current()) == first


def test_after_a_restart_only_what_is_new_is_read(passages: FakePassages, tmp_path: Path) -> None:
    first = passages.add("public", "a.md", "one", "zwei", "drei", language="de")
    before = opened(passages, tmp_path)
    before.current()
    before.save()
    passages.remove(first[0])
    second = passages.add("public", "b.md", "neu")
    asked: list[int] = []
    added_since = passages.added_since

    def watched(collection_id: str, embedder: str, revision: int):
        asked.append(revision)
        return added_since(collection_id, embedder, revision)

    passages.added_since = watched

    after = opened(passages, tmp_path).current()

    assert ids(after) == [*first[1:], *second]
    assert asked == [1]
    assert after.languages.tolist() == [b"de", b"de", b"de", b"en"]
    scores = after.lexical.scores(after.lexical.query("drei"))
    assert np.flatnonzero(scores).tolist() == [2]


def test_vectors_of_another_embedder_have_an_index_of_their_own(
    passages: FakePassages, tmp_path: Path
) -> None:
    passages.add("public", "a.md", "one")

    assert ids(opened(passages, tmp_path, "other").current()) == []


@pytest.mark.parametrize("suffix", [".npy", ".faiss", ".json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_index_is_made_anew(
    passages: FakePassages, tmp_path: Path, suffix: str, damage: str
) -> None:
    first = passages.add("public", "a.md", *(f"text {n}" for n in range(40)))
    before = opened(passages, tmp_path)
    before._snapshot = before.current().sealed()
    before.save()
    path = max(tmp_path.glob(f"*{suffix}"), key=lambda one: one.stat().st_size)
    content = path.read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
    path.write_bytes({"cut": content[:middle], "changed": changed, "gone": b""}[damage])
    if damage == "gone":
        path.unlink()

    after = opened(passages, tmp_path)

    assert ids(after.current()) == first
    after.save()
    assert ids(opened(passages, tmp_path).current()) == first


def test_an_index_of_another_database_is_made_anew(passages: FakePassages, tmp_path: Path) -> None:
    for number in range(5):
        passages.add("public", f"{number}.md", "old")
    before = opened(passages, tmp_path)
    before.current()
    before.save()
    other = FakePassages(FakeEmbedder())
    other.add("public", "a.md", "new", "newer")

    assert ids(opened(other, tmp_path).current()) == [1, 2]


def test_what_did_not_change_is_not_written_again(passages: FakePassages, tmp_path: Path) -> None:
    first = passages.add("public", "a.md", *(f"text {n}" for n in range(10)))
    index = opened(passages, tmp_path)
    index._snapshot = index.current().sealed()
    index.save()
    before = {path.name for path in tmp_path.iterdir()}
    passages.remove(first[0])
    index.current()
    index.save()

    after = {path.name for path in tmp_path.iterdir()}

    assert len(before - after) == len(after - before) == 1  # which passages are alive


def test_when_the_disk_refuses_searching_goes_on(passages: FakePassages, tmp_path: Path) -> None:
    first = passages.add("public", "a.md", "one")
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    index = opened(passages, blocked / "index")

    index.current()
    index.save()

    assert ids(index.current()) == first


def test_many_changes_are_sealed_and_removed_rows_are_dropped(
    passages: FakePassages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_UNSEALED", 10)
    monkeypatch.setattr(index_module, "_DEAD", 5)
    index = opened(passages, tmp_path)
    first = passages.add("public", "a.md", *(f"text {n}" for n in range(20)))
    index.current()
    assert index.wants_care

    index.care()
    assert index.current().dense.sealed_rows == 20
    assert not index.wants_care

    passages.remove(*first[:15])
    assert index.current().dead == 15
    index.care()
    assert index.current().dead == 0
    assert ids(index.current()) == first[15:]


def test_searches_go_on_while_many_passages_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_PATIENCE", 0.01)

    class Slow(FakePassages):
        """Waits for the test before its second batch."""

        def __init__(self) -> None:
            super().__init__(FakeEmbedder())
            self.reached, self.go_on = Event(), Event()

        def added_since(self, collection_id: str, embedder: str, revision: int):
            for number, batch in enumerate(super().added_since(collection_id, embedder, revision)):
                if revision and number == 1:
                    self.reached.set()
                    self.go_on.wait(10)
                yield batch

    passages = Slow()
    first = passages.add("public", "a.md", "one")
    index = opened(passages, tmp_path)
    index.current()
    many = passages.add("public", "b.md", *(f"text {n}" for n in range(7)))
    reading = Thread(target=index.current)
    reading.start()
    passages.reached.wait(10)

    assert ids(index.current()) == [*first, *many[:3]]

    passages.go_on.set()
    reading.join(10)
    assert ids(index.current()) == [*first, *many]


def test_many_threads_see_the_same(passages: FakePassages, tmp_path: Path) -> None:
    index = opened(passages, tmp_path)
    seen: list[Sequence[int]] = []
    expected = passages.add("public", "a.md", *(f"text {n}" for n in range(30)))
    threads = [Thread(target=lambda: seen.append(ids(index.current()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert seen == [expected] * 8
