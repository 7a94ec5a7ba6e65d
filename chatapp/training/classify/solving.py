"""From how alike a text is to those that were learned, to a probability of each label.

Kernel ridge regression (Saunders et al. 1998), solved in closed form. With more texts than it can
keep, some stand for all (subset of regressors, Smola and Schölkopf 2000): then what a classifier
weighs and how long it takes do not grow with the file.

Which view counts how much, how strongly to smooth and how sure to be is found by leaving out each
text once, which costs no more than solving it once (Allen 1974, "PRESS").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from chatapp.training.classify.likeness import Floats

Numbers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

_SHARES = (0.0, 0.15, 0.5, 0.85, 1.0)
_RIDGES = (0.03, 0.1, 0.3, 1.0)
_TEMPERATURES = np.geomspace(1, 64, 25)
_SLACK = 0.002
"""Relative; among settings that are as good the smoother one is taken."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a head judges.

    Attributes:
        shares: of each view in the likeness; together 1.
        ridge: how strongly it smooths.
        temperature: multiplies the scores before they become probabilities.
    """

    shares: tuple[float, ...]
    ridge: float
    temperature: float


def mixed(likenesses: Iterable[Floats], shares: Sequence[float]) -> Floats:
    """One likeness of several views; those without a share are not looked at."""
    total: Floats | None = None
    for one, share in zip(likenesses, shares, strict=True):
        if share:
            part = np.float32(share) * one
            total = part if total is None else total + part
    assert total is not None
    return total


def mixtures(views: int) -> list[tuple[float, ...]]:
    """Ways to share 1 among views."""
    return [
        (*most, round(1 - sum(most), 6))
        for most in product(_SHARES, repeat=views - 1)
        if sum(most) <= 1
    ]


def choose(
    likenesses: Sequence[Floats],
    owners: Numbers,
    counted: npt.NDArray[np.bool_],
    labels: int,
) -> Settings:
    """The settings that judge best texts which were left out.

    Args:
        likenesses: of the texts among each other, for each view.
        owners: the label's number of each text.
        counted: whether a text is one of the people's; the names of labels are not.
    """
    wanted = np.eye(labels)[owners]
    best: tuple[float, Settings] | None = None
    for shares in mixtures(len(likenesses)):
        values, vectors = np.linalg.eigh(mixed(likenesses, shares).astype(np.float64))
        turned = vectors.T @ wanted
        for ridge in _RIDGES:
            inverse = 1 / (np.maximum(values, 0) + ridge)
            solved = vectors @ (inverse[:, None] * turned)
            diagonal = (vectors * vectors) @ inverse
            left_out = (wanted - solved / diagonal[:, None])[counted]
            temperature, loss = calibrate(left_out, owners[counted])
            if best is None or loss < best[0] * (1 - _SLACK):
                best = loss, Settings(shares, ridge, temperature)
    assert best is not None
    return best[1]


def calibrate(scores: npt.NDArray[np.floating], owners: Numbers) -> tuple[float, float]:
    """The temperature with the lowest log loss (Guo et al. 2017, arXiv:1706.04599), and that."""
    losses = [
        -np.log(np.maximum(probabilities(scores, float(t))[np.arange(len(owners)), owners], 1e-12))
        for t in _TEMPERATURES
    ]
    means = [float(one.mean()) for one in losses]
    best = int(np.argmin(means))
    return float(_TEMPERATURES[best]), means[best]


def probabilities(scores: npt.NDArray[np.floating], temperature: float) -> Doubles:
    """Of each label; every row adds up to 1."""
    scaled = scores.astype(np.float64) * temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shared: Doubles = powers / powers.sum(axis=1, keepdims=True)
    return shared


def solve(among: Floats, ridge: float, owners: Numbers, labels: int) -> Floats:
    """What each kept text says for each label, where every text is kept.

    Args:
        among: the likeness of the texts among each other.
    """
    smoothed = among.astype(np.float64)
    smoothed[np.diag_indices(len(smoothed))] += ridge
    wanted = np.eye(labels)[owners]
    solved: Floats = np.linalg.solve(smoothed, wanted).astype(np.float32)
    return solved


def solve_for_many(
    among: Floats,
    ridge: float,
    chunks: Iterable[tuple[Floats, Numbers]],
    labels: int,
) -> Floats:
    """The same where some texts stand for all; memory does not grow with their number.

    Args:
        among: the likeness of the kept texts among each other.
        chunks: the likeness of all texts, some at a time, to the kept ones; and their labels.
    """
    kept = among.astype(np.float64)
    left = ridge * kept
    right = np.zeros((len(kept), labels))
    for rows, owners in chunks:
        wide = rows.astype(np.float64)
        left += wide.T @ wide
        right += wide.T @ np.eye(labels)[owners]
    left[np.diag_indices(len(left))] += 1e-6 * np.trace(left) / len(left)
    solved: Floats = np.linalg.solve(left, right).astype(np.float32)
    return solved


def representatives(owners: Numbers, most: int, seed: int, even: int | None = None) -> Numbers:
    """Which texts to keep: all, or as many of each label as there is room for; ascending.

    Args:
        even: of each label so many come first, and then whatever comes, so that frequent labels
            stay the frequent ones; None treats all labels alike to the end.
    """
    if len(owners) <= most:
        return np.arange(len(owners))
    shuffled = np.random.default_rng(seed).permutation(len(owners))
    seen: Counter[int] = Counter()
    turns = np.empty(len(owners), np.int64)
    for place, owner in enumerate(owners[shuffled].tolist()):
        seen[owner] += 1
        turns[place] = seen[owner]
    if even is not None:
        turns = np.minimum(turns, even + 1)
    first = shuffled[np.argsort(turns, kind="stable")[:most]]
    return np.sort(first)
