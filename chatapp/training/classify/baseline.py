"""The instant baseline: logistic regression on the vectors of a bundled encoder as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chatapp.training.classify.bases import Kind
from chatapp.training.classify.likeness import Floats
from chatapp.training.classify.readers import MINILM, MULTILINGUAL
from chatapp.training.classify.solving import Doubles, Numbers, probabilities, representatives

_STRENGTH = 10.0
_MOST_ROWS = 20_000
_MOST_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Baseline:
    """A linear judgement of one view.

    Attributes:
        weights, biases: shape (labels, dimension) and (labels,).
    """

    view: str
    weights: Floats
    biases: Floats
    temperature: float = 1.0

    def scores(self, vectors: Floats) -> Floats:
        """Shape (texts, labels)."""
        result: Floats = vectors @ self.weights.T + self.biases
        return result

    def probabilities(self, vectors: Floats) -> Doubles:
        """Shape (texts, labels); every row adds up to 1."""
        return probabilities(self.scores(vectors), self.temperature)


def baseline_view(kind: Kind) -> str:
    """The encoder that suits the texts for which this base was chosen."""
    return MINILM if kind == "minilm" else MULTILINGUAL


def fit_baseline(
    view: str, vectors: Floats, owners: Numbers, labels: int, temperature: float = 1.0
) -> Baseline:
    """Seconds, whatever the file: of a large one, 20,000 rows are looked at."""
    from sklearn.linear_model import LogisticRegression

    rows = representatives(owners, _MOST_ROWS, seed=0, even=1)
    model = LogisticRegression(C=_STRENGTH, max_iter=_MOST_ROUNDS)
    model.fit(vectors[rows], owners[rows])
    weights = np.zeros((labels, vectors.shape[1]), np.float32)
    # A label that no row has is never said.
    biases = np.full(labels, -1e3, np.float32)
    if len(model.classes_) == 2:
        weights[model.classes_[1]] = model.coef_[0]
        biases[model.classes_] = 0.0, model.intercept_[0]
    else:
        weights[model.classes_] = model.coef_
        biases[model.classes_] = model.intercept_
    return Baseline(view, weights, biases, temperature)
