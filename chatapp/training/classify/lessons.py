"""The rows of a run as a classifier learns and is measured by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix, vstack

from chatapp.errors import DatasetError
from chatapp.training.classify.grams import Grams, learn_grams
from chatapp.training.classify.head import Lessons
from chatapp.training.classify.likeness import Readings
from chatapp.training.classify.readers import GRAMS, Encoders, Reader, readable
from chatapp.training.classify.served import frozen_reader
from chatapp.training.classify.solving import Numbers, representatives
from chatapp.training_records import Example

MOST_READ = 20_000
"""Rows that are read by every view; of a larger file, some of each label. It bounds memory."""
MOST_LABELS = 5_000
_FEW = 50
"""Rows of a label that stay where others have to go."""


@dataclass
class Rows:
    """Some rows, and what the views read in them; each view reads once.

    Attributes:
        owners: the number of each row's label.
    """

    examples: Sequence[Example]
    owners: Numbers
    readings: dict[str, Readings] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """What is to be sorted."""
        return [readable(example.text) for example in self.examples]

    def read(self, view: str, reader: Reader) -> Readings:
        """By a view; the second call is free."""
        if view not in self.readings:
            self.readings[view] = reader(self.texts)
        return self.readings[view]


class Material:
    """All parts of a run's data, with the names of the labels, which say something too.

    With ten examples a label, a name in words (``card_arrival``) taken as one more example made
    85.6% of 85.0% right.

    Args:
        train, validation, test: as they were split.

    Raises:
        DatasetError: there is nothing to tell apart.
    """

    def __init__(
        self,
        train: Sequence[Example],
        validation: Sequence[Example],
        test: Sequence[Example],
        encoders: Encoders,
        seed: int,
    ) -> None:
        self.labels = _labels([*train, *validation, *test], train)
        self._numbers = {label: number for number, label in enumerate(self.labels)}
        self.train = self._rows(train, seed)
        self.validation, self.test = self._rows(validation, seed), self._rows(test, seed)
        names = [Example(text=in_words(label), label=label) for label in self.labels]
        self.names = self._rows([one for one in names if one.text], seed)
        self.grams = learn_grams(self.train.texts)
        self._encoders = encoders

    def frozen(self, part: Rows, views: Sequence[str]) -> Mapping[str, Readings]:
        """A part as views that no fine-tune changed read it."""
        return {
            view: part.read(view, frozen_reader(view, self._encoders, self.grams)) for view in views
        }

    def taught(self, parts: Sequence[Rows], readings: Sequence[Mapping[str, Readings]]) -> Lessons:
        """Parts to be learned from, as some views read them; the last holds the labels' names."""
        views = readings[0].keys()
        return Lessons(
            {view: _stacked([one[view] for one in readings]) for view in views},
            np.concatenate([part.owners for part in parts]),
            np.concatenate([np.full(len(one.owners), one is not self.names) for one in parts]),
            len(self.labels),
        )

    def all_rows(self) -> list[Example]:
        """Every part, as it is learned from in the end."""
        return [*self.train.examples, *self.validation.examples, *self.test.examples]

    def counts(self) -> Mapping[str, int]:
        """How many rows each part has."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: len(part.owners) for name, part in parts.items()}

    def read_anew(self, grams: Grams) -> None:
        """Look at these n-grams from now on."""
        self.grams = grams
        for part in (self.train, self.validation, self.test, self.names):
            part.readings.pop(GRAMS, None)

    def _rows(self, examples: Sequence[Example], seed: int) -> Rows:
        owners = np.array([self._numbers[one.label or ""] for one in examples], np.int64)
        chosen = representatives(owners, MOST_READ, seed, even=_FEW)
        return Rows([examples[row] for row in chosen], owners[chosen])


def in_words(label: str) -> str:
    """A label's name as a text; empty where it is a number or a sign."""
    words = " ".join(label.replace("_", " ").replace("-", " ").replace(".", " ").split())
    return words if any(letter.isalpha() for letter in words) else ""


def _labels(examples: Sequence[Example], train: Sequence[Example]) -> tuple[str, ...]:
    """
    Raises:
        DatasetError: there are no two labels, or far too many.
    """
    for example in examples:
        if not example.label:
            raise DatasetError(
                f"Row {example.row} of {example.file or 'the data'} has no label. Give it one, or "
                "leave the row out."
            )
    learned = Counter(example.label or "" for example in train)
    if len(learned) < 2:
        only = next(iter(learned), None)
        found = f"only the label {only!r}" if only else "no row"
        raise DatasetError(
            f"There is {found} to learn from, so there is nothing to tell apart. Add rows with "
            "at least one other label."
        )
    if len(learned) > MOST_LABELS:
        raise DatasetError(
            f"There are {len(learned):,} different labels; a classifier here learns at most "
            f"{MOST_LABELS:,}. Was the column with the labels mapped to the right role?"
        )
    return tuple(sorted({example.label or "" for example in examples}))


def _stacked(parts: Sequence[Readings]) -> Readings:
    if isinstance(parts[0], csr_matrix):
        return csr_matrix(vstack(parts, format="csr"))
    return np.concatenate(parts)
