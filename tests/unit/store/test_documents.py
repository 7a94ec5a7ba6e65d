"""Documents: replaced as a whole, deleted with a way back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chatapp.errors import DocumentError, NotFound
from chatapp.knowledge_records import Collection, Heading
from chatapp.store import Documents
from tests.unit.store.some_documents import a_document


def test_a_document_is_kept_with_its_text_and_passages(
    documents: Documents, collection: Collection
) -> None:
    new = a_document("guide.md", "tents", "boots", tags=("Camping ", "camping", ""), file="x.md")
    (stored,) = documents.replace(collection.id, "fake", [new])
    assert stored == documents.get(stored.id) == documents.find(collection.id, "guide.md")
    assert (stored.title, stored.kind, stored.pages) == ("Title of guide.md", "markdown", 1)
    assert (stored.passages, stored.tags, stored.file) == (2, ("camping",), "x.md")
    assert stored.content_hash == new.content_hash

    loaded = documents.text(stored.id)
    assert (loaded.text, loaded.page_starts) == ("tents\nboots", (0,))
    assert loaded.headings == (Heading(start=0, level=1, text="Guide"),)

    first, second = documents.passages(stored.id)
    assert (first.text, first.heading, first.page) == ("tents", ("Guide", "About tents"), 1)
    assert (second.position, second.start, second.end) == (1, 6, 11)
    assert (second.document, second.title) == ("guide.md", "Title of guide.md")
    assert first.id < second.id


def test_a_changed_document_keeps_its_id_and_loses_its_old_passages(
    documents: Documents, collection: Collection
) -> None:
    (old,) = documents.replace(collection.id, "fake", [a_document("a", "one", "two")])
    passages = documents.passages(old.id)
    (new,) = documents.replace(collection.id, "fake", [a_document("a", "three")])
    assert new.id == old.id
    assert new.content_hash != old.content_hash
    assert [one.text for one in documents.passages(old.id)] == ["three"]
    assert documents.fetch([one.id for one in passages]) == {}
    assert len(documents.list(collection.id)) == 1


def test_of_two_with_one_name_the_later_stays(documents: Documents, collection: Collection) -> None:
    documents.replace(collection.id, "fake", [a_document("a", "one"), a_document("a", "two")])
    (document,) = documents.list(collection.id)
    assert documents.text(document.id).text == "two"


def test_the_list_is_searched_by_name_and_title(
    documents: Documents, collection: Collection
) -> None:
    documents.replace(collection.id, "fake", [a_document("ÄRGER.md", "x"), a_document("b%", "y")])
    assert [one.name for one in documents.list(collection.id, "ärger")] == ["ÄRGER.md"]
    assert [one.name for one in documents.list(collection.id, "title of B%")] == ["b%"]
    assert documents.list(collection.id, "nothing") == []
    assert len(documents.list(collection.id, limit=1, offset=1)) == 1


def test_text_no_database_takes_keeps_its_length(
    documents: Documents, collection: Collection
) -> None:
    new = a_document("a\x00\ud83d", "a\x00b", "c\ud83dd")
    (stored,) = documents.replace(collection.id, "fake", [new])
    text = documents.text(stored.id).text
    assert text == "a b\nc?d"
    assert [text[one.start : one.end] for one in documents.passages(stored.id)] == ["a b", "c?d"]
    assert stored.name == "a?"
    again = documents.find(collection.id, "a\x00\ud83d")
    assert again is not None
    assert (again.id, again.title) == (stored.id, "Title of a?")


@pytest.mark.parametrize("name", ["", "é" * 501])
def test_an_impossible_name_is_refused(
    documents: Documents, collection: Collection, name: str
) -> None:
    with pytest.raises(DocumentError, match="1 to 500 characters"):
        documents.replace(collection.id, "fake", [a_document("good", "x"), a_document(name, "y")])
    assert documents.list(collection.id) == []


def test_the_longest_name_of_the_widest_letters_fits(
    documents: Documents, collection: Collection
) -> None:
    documents.replace(collection.id, "fake", [a_document("😀" * 500, "x")])


def test_a_deleted_document_comes_back(documents: Documents, collection: Collection) -> None:
    (stored,) = documents.replace(collection.id, "fake", [a_document("a", "one", "two")])
    passages = documents.passages(stored.id)
    documents.delete([stored.id, "nowhere"])
    assert documents.list(collection.id) == []
    assert documents.find(collection.id, "a") is None
    assert documents.passages(stored.id) == []
    assert documents.fetch([one.id for one in passages]) == {}
    with pytest.raises(NotFound):
        documents.text(stored.id)

    documents.restore([stored.id])
    assert documents.get(stored.id) == stored
    back = documents.passages(stored.id)
    assert [one.text for one in back] == ["one", "two"]
    assert min(one.id for one in back) > max(one.id for one in passages)


def test_a_deleted_document_that_comes_in_again_is_there_again(
    documents: Documents, collection: Collection
) -> None:
    (old,) = documents.replace(collection.id, "fake", [a_document("a", "one")])
    documents.delete([old.id])
    (new,) = documents.replace(collection.id, "fake", [a_document("a", "one")])
    assert new.id == old.id
    assert new.deleted_at is None
    documents.restore([old.id])
    assert len(documents.passages(old.id)) == 1


def test_purging_removes_deleted_documents_for_good(
    documents: Documents, collection: Collection
) -> None:
    kept, gone = documents.replace(
        collection.id, "fake", [a_document("a", "x", file="a.md"), a_document("b", "y", file="b")]
    )
    documents.delete([gone.id])
    assert documents.kept_files() == {"a.md", "b"}
    assert documents.purge(timedelta(days=1)) == 0
    assert documents.purge(timedelta(0)) == 1
    documents.restore([gone.id])
    assert documents.list(collection.id) == [kept]
    assert documents.kept_files() == {"a.md"}


def test_use_is_noted(documents: Documents, collection: Collection) -> None:
    (stored,) = documents.replace(collection.id, "fake", [a_document("a", "x")])
    assert stored.last_used_at is None
    documents.used([stored.id])
    assert documents.get(stored.id).last_used_at is not None
