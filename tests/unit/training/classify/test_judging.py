"""Likeness, n-grams, and the head that judges by them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from chatapp.training.classify.grams import learn_grams
from chatapp.training.classify.head import Lessons, choose_settings, fit_head
from chatapp.training.classify.likeness import Floats, likeness
from chatapp.training.classify.solving import (
    Settings,
    calibrate,
    choose,
    mixtures,
    probabilities,
    representatives,
    solve,
    solve_for_many,
)


def _vectors(rows: int, seed: int = 0, owners: np.ndarray | None = None) -> Floats:
    random = np.random.default_rng(seed)
    drawn = random.standard_normal((rows, 16))
    if owners is not None:
        drawn += 3 * np.random.default_rng(99).standard_normal((owners.max() + 1, 16))[owners]
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float32)


def test_ngrams_find_the_words_that_texts_share() -> None:
    texts = ["很快，好吃", "好吃，量大", "太慢了，难吃", "送餐太慢了"]
    alike = likeness(learn_grams(texts).read(texts), learn_grams(texts).read(texts))

    assert np.diag(alike) == pytest.approx(np.ones(4), abs=1e-5)
    assert alike[0, 1] > alike[0, 3]
    assert alike[2, 3] > alike[1, 3]


def test_ngrams_of_nothing_are_nothing() -> None:
    grams = learn_grams(["abc", "abd"])

    read = grams.read(["", "zzz", "\ud800", "abc " * 10_000])

    assert read.shape[0] == 4
    assert np.isfinite(read.toarray()).all()
    assert learn_grams([]).read(["abc"]).shape == (1, 0)


def test_leaving_out_one_text_by_formula_is_leaving_it_out() -> None:
    owners = np.array([0, 1, 2] * 8)
    vectors = _vectors(24, owners=owners)
    alike = likeness(vectors, vectors)
    ridge = 0.3
    inverse = np.linalg.inv(alike.astype(np.float64) + ridge * np.eye(24))
    wanted = np.eye(3)[owners]
    by_formula = wanted - (inverse @ wanted) / np.diag(inverse)[:, None]

    for left_out in (0, 7, 23):
        others = np.delete(np.arange(24), left_out)
        solved = solve(alike[np.ix_(others, others)], ridge, owners[others], 3)
        assert alike[left_out, others] @ solved == pytest.approx(by_formula[left_out], abs=1e-4)


def test_a_view_that_tells_nothing_gets_no_share() -> None:
    owners = np.repeat(np.arange(4), 25)
    good, noise = _vectors(100, owners=owners), _vectors(100, seed=5)

    settings = choose([likeness(noise, noise), likeness(good, good)], owners, np.ones(100, bool), 4)

    assert settings.shares[1] >= 0.85


def test_shares_always_add_up() -> None:
    for views in (1, 2, 3):
        assert all(sum(one) == pytest.approx(1) and min(one) >= 0 for one in mixtures(views))


def test_the_temperature_makes_confidence_honest() -> None:
    random = np.random.default_rng(1)
    true = random.integers(0, 3, 4_000)
    logits = np.eye(3)[true] * 2 + random.standard_normal((4_000, 3))
    temperature, _ = calibrate(logits * 0.1, true)

    sure = probabilities(logits * 0.1, temperature)

    assert sure.sum(axis=1) == pytest.approx(np.ones(4_000))
    assert sure.max(axis=1).mean() == pytest.approx((sure.argmax(axis=1) == true).mean(), abs=0.03)


def test_some_of_each_label_stand_for_all() -> None:
    owners = np.array([0] * 900 + [1] * 90 + [2] * 3)

    kept = owners[representatives(owners, 60, seed=1)]

    assert len(kept) == 60
    assert (kept == 2).sum() == 3
    assert abs(int((kept == 0).sum()) - int((kept == 1).sum())) <= 1
    assert representatives(owners, 1_000, seed=1).tolist() == list(range(993))
    mostly = owners[representatives(owners, 60, seed=1, even=3)]
    assert (mostly == 2).sum() == 3
    assert (mostly == 0).sum() > 40


def test_standing_for_all_is_exact_where_all_are_kept() -> None:
    owners = np.array([0, 1, 2] * 20)
    vectors = _vectors(60, owners=owners)
    alike = likeness(vectors, vectors)
    whole = solve(alike, 0.1, owners, 3)

    parts = [(alike[:40], owners[:40]), (alike[40:], owners[40:])]

    assert alike @ solve_for_many(alike, 0.1, parts, 3) == pytest.approx(alike @ whole, abs=0.02)


def test_a_head_keeps_only_so_many_of_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.training.classify.head.MOST_KEPT", 50)
    monkeypatch.setattr("chatapp.training.classify.head._AT_ONCE", 64)
    owners = np.arange(600) % 5
    vectors = _vectors(600, owners=owners)
    grams = csr_matrix(np.eye(600, dtype=np.float32))
    lessons = Lessons({"a": vectors, "b": grams}, owners, np.ones(600, bool), 5)

    settings = choose_settings(lessons, ["a", "b"], seed=0)
    head = fit_head(lessons, ["a", "b"], settings, seed=0)

    assert head.coefficients.shape == (50, 5)
    unseen = _vectors(200, seed=7, owners=owners[:200])
    said = head.probabilities({"a": unseen, "b": grams[:200]}).argmax(axis=1)
    assert (said == owners[:200]).mean() > 0.9


def test_five_hundred_labels_of_a_row_each() -> None:
    owners = np.arange(500)
    vectors = _vectors(500, owners=owners)
    lessons = Lessons({"a": vectors}, owners, np.ones(500, bool), 500)

    head = fit_head(lessons, ["a"], Settings((1.0,), 0.1, 8.0), seed=0)

    assert (head.scores({"a": vectors}).argmax(axis=1) == owners).all()
