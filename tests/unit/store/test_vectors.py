"""Vectors: small in the database, and kept between starts."""

from __future__ import annotations

import numpy as np

from chatapp.store import Database, VectorTexts
from chatapp.store.vectors import packed, unpacked
from tests.fake_knowledge import FakeEmbedder


def test_packing_keeps_cosines_to_three_digits() -> None:
    random = np.random.default_rng(7)
    vectors = random.normal(size=(200, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    again = unpacked(packed(vectors))
    assert again.shape == vectors.shape
    assert np.abs(again @ again.T - vectors @ vectors.T).max() < 5e-4


def test_no_vectors_are_no_trouble(db: Database) -> None:
    texts = VectorTexts(db)
    texts.put("fake", [], np.zeros((0, 4), np.float32))
    assert texts.get("fake", []) == {}


def test_short_texts_are_remembered_exactly_for_their_embedder(db: Database) -> None:
    embedder, texts = FakeEmbedder(), VectorTexts(db)
    asked = ["where is my parcel", "你好", "half \ud83d", "where is my parcel"]
    vectors = embedder.embed(asked)
    texts.put("fake", asked, vectors)
    texts.put("fake", asked[:1], vectors[:1])
    known = texts.get("fake", [*asked, "new"])
    assert set(known) == set(asked)
    for text, vector in zip(asked, vectors, strict=True):
        np.testing.assert_array_equal(known[text], vector)
    assert texts.get("other", asked) == {}
