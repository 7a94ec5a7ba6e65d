"""Judges texts by those that were learned, as several views see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chatapp.training.classify.likeness import Floats, Readings, likeness, pick
from chatapp.training.classify.solving import (
    Doubles,
    Numbers,
    Settings,
    choose,
    mixed,
    probabilities,
    representatives,
    solve,
    solve_for_many,
)

MOST_KEPT = 2_000
"""Texts that stand for all; a text to be sorted is compared with each."""
_CHOSEN_ON = 1_000
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is learned from.

    Attributes:
        readings: of every text, by the view.
        owners: the number of each text's label.
        counted: whether a text is one of the people's; the names of the labels are not.
        labels: how many there are.
    """

    readings: Mapping[str, Readings]
    owners: Numbers
    counted: np.ndarray[tuple[int], np.dtype[np.bool_]]
    labels: int

    def part(self, rows: Numbers) -> Lessons:
        """Some of them."""
        some = {view: pick(all_, rows) for view, all_ in self.readings.items()}
        return Lessons(some, self.owners[rows], self.counted[rows], self.labels)


@dataclass(frozen=True, slots=True)
class Head:
    """A solved judgement.

    Attributes:
        views: those with a share, in the order of ``settings.shares``.
        kept: the texts that stand for all, by the view.
        coefficients: what each kept text says for each label.
    """

    views: tuple[str, ...]
    settings: Settings
    kept: Mapping[str, Readings]
    coefficients: Floats

    def scores(self, readings: Mapping[str, Readings]) -> Floats:
        """Shape (texts, labels); around 1 for the right label and 0 for the others."""
        alike = mixed(
            [likeness(readings[view], self.kept[view]) for view in self.views],
            self.settings.shares,
        )
        result: Floats = alike @ self.coefficients
        return result

    def probabilities(self, readings: Mapping[str, Readings]) -> Doubles:
        """Shape (texts, labels); every row adds up to 1."""
        return probabilities(self.scores(readings), self.settings.temperature)


def choose_settings(lessons: Lessons, views: Sequence[str], seed: int) -> Settings:
    """How to judge by these views, found on some of the texts if there are many."""
    few = lessons.part(representatives(lessons.owners, _CHOSEN_ON, seed))
    return choose(
        [likeness(few.readings[view], few.readings[view]) for view in views],
        few.owners,
        few.counted,
        lessons.labels,
    )


def fit_head(lessons: Lessons, views: Sequence[str], settings: Settings, seed: int) -> Head:
    """Solve; views without a share are left out."""
    used = [(view, share) for view, share in zip(views, settings.shares, strict=True) if share]
    names = tuple(view for view, _ in used)
    shares = tuple(share for _, share in used)
    rows = representatives(lessons.owners, MOST_KEPT, seed)
    kept = {view: pick(lessons.readings[view], rows) for view in names}
    among = mixed([likeness(kept[view], kept[view]) for view in names], shares)
    if len(rows) == len(lessons.owners):
        solved = solve(among, settings.ridge, lessons.owners, lessons.labels)
    else:

        def chunks() -> Iterator[tuple[Floats, Numbers]]:
            for start in range(0, len(lessons.owners), _AT_ONCE):
                some = lessons.part(np.arange(len(lessons.owners))[start : start + _AT_ONCE])
                alike = [likeness(some.readings[view], kept[view]) for view in names]
                yield mixed(alike, shares), some.owners

        solved = solve_for_many(among, settings.ridge, chunks(), lessons.labels)
    fitted = Settings(shares, settings.ridge, settings.temperature)
    return Head(names, fitted, kept, solved)
