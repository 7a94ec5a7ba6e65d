"""The classifier over the vectors of FAQ variants."""

from __future__ import annotations

import numpy as np
import pytest

from chatapp.knowledge import faq_nearness
from chatapp.knowledge.faq_nearness import Classifier, View
from chatapp.knowledge_records import Vectors


def around(centres: Vectors, count: int, seed: int) -> Vectors:
    """Unit vectors near each centre, shape (centres * count, dimension)."""
    noise = np.random.default_rng(seed).normal(0, 0.08, (len(centres) * count, centres.shape[1]))
    vectors = np.repeat(centres, count, axis=0) + noise.astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def centres() -> Vectors:
    return np.linalg.qr(np.random.default_rng(1).normal(size=(64, 40)))[0].T.astype(np.float32)


def view(vectors: Vectors, share: float = 1.0) -> View:
    return View(vectors, share, 1.0)


def test_the_entry_whose_variants_are_near_wins(centres: Vectors) -> None:
    owners = np.repeat(np.arange(40), 5)
    classifier = Classifier(owners, [view(around(centres, 5, seed=2))])

    found = [classifier.nearest([vector[None]]) for vector in around(centres, 1, seed=3)]

    assert [one.entry for one in found] == list(range(40))
    assert all(one.confidence > 0.5 > one.runner_up for one in found)
    assert all(owners[one.variant] == one.entry and not one.tied for one in found)


def test_what_is_near_no_entry_gets_little_confidence(centres: Vectors) -> None:
    classifier = Classifier(np.repeat(np.arange(20), 5), [view(around(centres[:20], 5, seed=2))])

    found = [classifier.nearest([vector[None]]) for vector in centres[20:]]

    assert max(one.confidence for one in found) < 0.05


def test_many_variants_are_judged_by_the_nearest_of_them(
    centres: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners, vectors = np.repeat(np.arange(40), 5), around(centres, 5, seed=2)
    questions = around(centres, 1, seed=3)
    at_once = [Classifier(owners, [view(vectors)]).nearest([q[None]]) for q in questions]
    monkeypatch.setattr(faq_nearness, "_AT_ONCE", 100)
    monkeypatch.setattr(faq_nearness, "_NEAREST", 60)

    each_time = [Classifier(owners, [view(vectors)]).nearest([q[None]]) for q in questions]

    assert [one.entry for one in each_time] == [one.entry for one in at_once]
    assert [one.confidence for one in each_time] == pytest.approx(
        [one.confidence for one in at_once], abs=0.05
    )


def test_one_variant_is_enough(centres: Vectors) -> None:
    classifier = Classifier([7], [view(centres[:1])])

    same, other = (classifier.nearest([centres[n : n + 1]]) for n in (0, 1))

    assert (same.entry, same.variant, same.runner_up, same.tied) == (7, 0, 0.0, False)
    assert same.confidence > 0.9
    assert other.confidence < 0.05


def test_two_entries_with_the_same_variant_are_tied(centres: Vectors) -> None:
    classifier = Classifier([0, 1, 2], [view(centres[[0, 0, 1]])])

    assert classifier.nearest([centres[:1]]).tied
    assert not classifier.nearest([centres[1:2]]).tied


def test_views_are_weighed_by_their_share(centres: Vectors) -> None:
    # One embedder finds the question near entry 0, the other near entry 1.
    views = [view(centres[[0, 1]], 0.3), view(centres[[2, 3]], 0.7)]
    classifier = Classifier([0, 1], views)

    assert classifier.nearest([centres[[0]], centres[[3]]]).entry == 1


def test_an_embedder_that_finds_everything_alike_is_stretched() -> None:
    alike = np.array([[1, 0], [0.8, 0.6]], np.float32)

    cosines = View(alike, 1.0, 5.0).cosines(alike[:1])

    assert cosines[0] == pytest.approx([1.0, 0.0], abs=1e-6)
