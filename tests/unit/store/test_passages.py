"""Passages: whoever follows the revisions knows what there is."""

from __future__ import annotations

import numpy as np
import pytest

from chatapp.knowledge.base import PassageSource
from chatapp.knowledge_records import Collection
from chatapp.store import Collections, Documents
from chatapp.store import passages as module
from tests.unit.store.some_documents import EMBEDDER, a_document


class Follower:
    """An index as small as can be: it only knows which passages there are."""

    def __init__(self, source: PassageSource, collection: str, embedder: str = "fake") -> None:
        self._source, self._collection, self._embedder = source, collection, embedder
        self._revision = 0
        self.texts: dict[int, str] = {}

    def follow(self) -> list[str]:
        revision = self._source.revision(self._collection)
        for gone in self._source.removed_since(self._collection, self._revision):
            self.texts.pop(gone, None)
        added = self._source.added_since(self._collection, self._embedder, self._revision)
        for batch in added:
            assert batch.vectors.shape == (len(batch.passages), EMBEDDER.dimension)
            self.texts |= {one.id: one.text for one in batch.passages}
        self._revision = revision
        return sorted(self.texts.values())


def test_a_follower_sees_every_change(
    documents: Documents, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    follower = Follower(documents, collection.id)
    assert follower.follow() == []
    first, second = documents.replace(
        collection.id, "fake", [a_document("a", "one", "two"), a_document("b", "three")]
    )
    assert follower.follow() == ["one", "three", "two"]
    documents.replace(collection.id, "fake", [a_document("a", "four")])
    assert follower.follow() == ["four", "three"]
    documents.delete([first.id, second.id])
    assert follower.follow() == []
    documents.restore([second.id])
    assert follower.follow() == ["three"]
    documents.delete([second.id])
    documents.restore([first.id, second.id])
    assert follower.follow() == ["four", "three"]
    assert Follower(documents, collection.id).follow() == ["four", "three"]


def test_collections_do_not_see_each_other(
    documents: Documents, collections: Collections, collection: Collection
) -> None:
    other = collections.create("other")
    documents.replace(collection.id, "fake", [a_document("a", "one")])
    documents.replace(other.id, "fake", [a_document("a", "two")])
    assert documents.revision(collection.id) == documents.revision(other.id) == 1
    assert documents.revision("nowhere") == 0
    assert Follower(documents, other.id).follow() == ["two"]
    assert len(documents.select(other.id)) == 1


def test_vectors_come_back_as_they_were(documents: Documents, collection: Collection) -> None:
    new = a_document("a", "one two three", "four five", "six")
    documents.replace(collection.id, "fake", [new])
    (batch,) = documents.added_since(collection.id, "fake", 0)
    assert batch.vectors.dtype == np.float32
    np.testing.assert_allclose(batch.vectors, new.vectors, atol=1e-3)


def test_another_embedder_reads_what_is_there(
    documents: Documents, collections: Collections, collection: Collection
) -> None:
    other = collections.create("other")
    documents.replace(collection.id, "fake", [a_document("a", "one", "two")])
    (elsewhere,) = documents.replace(other.id, "fake", [a_document("b", "three")])
    assert documents.without_vectors("fake", 10) == []
    follower = Follower(documents, collection.id, "new")
    assert follower.follow() == []

    waiting = documents.without_vectors("new", 10)
    assert [one.text for one in waiting] == ["one", "two", "three"]
    documents.delete([elsewhere.id])
    assert len(documents.without_vectors("new", 10)) == 2
    ids = [waiting[0].id, waiting[2].id, 999]
    documents.add_vectors("new", ids, EMBEDDER.embed(["one", "three", "gone"]))
    assert follower.follow() == ["one"]
    documents.add_vectors("new", [waiting[0].id], EMBEDDER.embed(["one"]))
    assert [one.text for one in documents.without_vectors("new", 10)] == ["two"]
    assert Follower(documents, collection.id).follow() == ["one", "two"]


def test_passages_are_selected_by_language_and_tag(
    documents: Documents, collection: Collection
) -> None:
    documents.replace(
        collection.id,
        "fake",
        [
            a_document("a", "one", tags=("Boots", "winter")),
            a_document("b", "zwei", language="de", tags=("boots",)),
            a_document("c", "three", tags=("boot",)),
        ],
    )

    def texts(**filters: str) -> list[str]:
        ids = documents.select(collection.id, **filters)
        assert ids.dtype == np.int64
        return [documents.fetch([int(one)])[int(one)].text for one in ids]

    assert texts() == ["one", "zwei", "three"]
    assert texts(language="de") == ["zwei"]
    assert texts(tag="BOOTS") == ["one", "zwei"]
    assert texts(tag="boots", language="en") == ["one"]
    assert texts(tag="%") == []
