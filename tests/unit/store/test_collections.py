"""Collections: named, counted, deleted with a way back."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from chatapp.errors import InvalidRequest, NotFound
from chatapp.knowledge_records import Collection
from chatapp.store import Collections, Documents, Faqs
from tests.unit.store.some_documents import a_document


def test_a_collection_is_found_by_its_name_in_any_case(collections: Collections) -> None:
    made = collections.create(" Internal ")
    assert made.name == "internal"
    assert collections.get("INTERNAL") == collections.by_id(made.id) == made
    assert collections.find("other") is None


def test_the_missing_one_is_named_beside_the_known_ones(collections: Collections) -> None:
    collections.create("public")
    collections.create("产品")
    with pytest.raises(NotFound, match=r"no collection 'shop'\. Known: public, 产品\."):
        collections.get("shop")
    with pytest.raises(NotFound, match="no such collection"):
        collections.by_id("nowhere")


@pytest.mark.parametrize("name", ["", "  ", "a b", "-x", "x" * 65, "a/b"])
def test_other_names_are_refused(collections: Collections, name: str) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        collections.create(name)


def test_a_name_is_given_once(collections: Collections) -> None:
    first = collections.create("public")
    with pytest.raises(InvalidRequest, match="'public' already"):
        collections.create("Public")
    second = collections.create("internal")
    with pytest.raises(InvalidRequest, match="'public' already"):
        collections.rename(second.id, "public")
    collections.rename(second.id, "staff")
    assert [one.name for one in collections.list()] == ["public", "staff"]
    assert collections.ensure("public") == first


def test_many_may_ensure_the_same_collection_at_once(collections: Collections) -> None:
    made: list[Collection] = []
    threads = [
        threading.Thread(target=lambda: made.append(collections.ensure("public"))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 6
    assert len({one.id for one in made}) == 1


def test_it_counts_what_is_not_deleted(
    collections: Collections, collection: Collection, documents: Documents, faqs: Faqs
) -> None:
    kept, gone = documents.replace(
        collection.id, "fake", [a_document("a", "one", "two"), a_document("b", "three")]
    )
    documents.delete([gone.id])
    faqs.add(collection.id, ["Q?"], "A.")
    faqs.delete([faqs.add(collection.id, ["R?"], "B.").id])
    counted = collections.get("public")
    assert (counted.documents, counted.passages, counted.faq_entries) == (1, 2, 1)
    assert kept.passages == 2


def test_thresholds_are_kept_and_checked(collections: Collections, collection: Collection) -> None:
    collections.set_thresholds(collection.id, 0.4, None)
    changed = collections.get("public")
    assert (changed.threshold, changed.faq_threshold) == (0.4, None)
    with pytest.raises(InvalidRequest, match="from 0 to 1"):
        collections.set_thresholds(collection.id, 1.2, None)
    with pytest.raises(InvalidRequest, match="from 0 to 1"):
        collections.set_thresholds(collection.id, None, float("nan"))


def test_a_deleted_collection_comes_back_unless_its_name_is_taken(
    collections: Collections, collection: Collection
) -> None:
    collections.delete(collection.id)
    assert collections.list() == []
    with pytest.raises(NotFound):
        collections.delete(collection.id)
    collections.restore(collection.id)
    assert collections.list() == [collection]

    collections.delete(collection.id)
    collections.create("public")
    with pytest.raises(InvalidRequest, match="already"):
        collections.restore(collection.id)


def test_purging_removes_everything_in_it(
    collections: Collections, collection: Collection, documents: Documents, faqs: Faqs
) -> None:
    (document,) = documents.replace(collection.id, "fake", [a_document("a", "one")])
    entry = faqs.add(collection.id, ["Q?"], "A.")
    collections.delete(collection.id)
    assert collections.purge(timedelta(days=1)) == 0
    assert collections.purge(timedelta(0)) == 1
    with pytest.raises(NotFound):
        documents.get(document.id)
    with pytest.raises(NotFound):
        faqs.get(entry.id)
    with pytest.raises(NotFound):
        documents.replace(collection.id, "fake", [a_document("a", "one")])
