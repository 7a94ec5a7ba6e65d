"""Lengths are counted as the trainer will see them, and drawn as a few bars."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from chatapp.training.data import estimated_tokens
from chatapp.training.data.measuring import histogram


@pytest.mark.parametrize(
    "lengths",
    [
        [5],
        [40, 41, 45],
        list(range(1_000)),
        [10] * 500 + [90_000],
        [random.Random(1).randrange(200, 3_000) for _ in range(400)],
        [0, 0, 1],
    ],
)
def test_bars_hold_every_length_once_and_are_few(lengths: list[int]) -> None:
    bars = histogram(lengths)
    assert sum(bar.count for bar in bars) == len(lengths)
    assert len(bars) <= 24
    assert bars[0].low <= min(lengths) < bars[0].high
    assert all(left.high == right.low for left, right in pairwise(bars))
    for bar in bars:
        assert bar.count == sum(bar.low <= one < bar.high for one in lengths)


def test_no_lengths_no_bars() -> None:
    assert histogram([]) == ()


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("Where is my parcel?", 4, 7),
        ("我的包裹在哪里？", 7, 10),
        ("unbelievably", 2, 4),
    ],
)
def test_tokens_are_estimated_for_any_writing(text: str, least: int, most: int) -> None:
    assert least <= estimated_tokens(text) <= most
