"""A trained classifier at work: texts in, the probability of each label out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from chatapp.training.classify.baseline import Baseline
from chatapp.training.classify.grams import Grams
from chatapp.training.classify.head import Head
from chatapp.training.classify.likeness import Floats, Readings
from chatapp.training.classify.readers import GRAMS, Encoders, Reader, readable
from chatapp.training.classify.solving import Doubles

Which = Literal["adapter", "baseline"]

_AT_ONCE = 256
"""Texts read at a time, so that memory does not grow with a request."""


@dataclass(frozen=True)
class Classifier:
    """Any thread may call it, several at once.

    Attributes:
        labels: in the order of the probabilities.
        which: the fine-tune or the baseline.
        judge: turns what the views read into probabilities.
        readers: of the views that the judge looks at.
    """

    labels: tuple[str, ...]
    which: Which
    judge: Head | Baseline
    readers: Mapping[str, Reader]

    def classify(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """The calibrated probability of each label, for each text; the likeliest label first."""
        found = []
        for row in self.probabilities(texts):
            order = np.argsort(-row, kind="stable")
            found.append({self.labels[number]: float(row[number]) for number in order})
        return found

    def probabilities(self, texts: Sequence[str]) -> Doubles:
        """Shape (texts, labels), in the order of ``labels``; every row adds up to 1."""
        rows = [np.zeros((0, len(self.labels)))]
        for start in range(0, len(texts), _AT_ONCE):
            some = [readable(text) for text in texts[start : start + _AT_ONCE]]
            read = {view: reader(some) for view, reader in self.readers.items()}
            rows.append(judged(self.judge, read))
        return np.concatenate(rows)


def judged(judge: Head | Baseline, readings: Mapping[str, Readings]) -> Doubles:
    """What either kind of judge says of texts that were read already."""
    if isinstance(judge, Head):
        return judge.probabilities(readings)
    return judge.probabilities(cast(Floats, readings[judge.view]))


def views_of(judge: Head | Baseline) -> tuple[str, ...]:
    """What it looks at."""
    return judge.views if isinstance(judge, Head) else (judge.view,)


def frozen_reader(view: str, encoders: Encoders, grams: Grams) -> Reader:
    """Of any view that no fine-tune changed."""
    return grams.read if view == GRAMS else encoders.frozen(view)
