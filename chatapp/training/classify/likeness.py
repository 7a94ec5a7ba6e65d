"""How alike texts are, as one way of reading them sees it.

Read as vectors of length 1, two texts are alike by exp(2 * (cosine - 1)), the kernel with which
``knowledge.faq_nearness`` tells FAQ entries apart; read as character n-grams, by their cosine.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Floats: TypeAlias = npt.NDArray[np.float32]

Readings: TypeAlias = Floats | csr_matrix
"""Texts as a view reads them, a row each and of length 1."""

_SHARPNESS = 2.0


def likeness(rows: Readings, others: Readings) -> Floats:
    """From 0 or a little below to 1; shape (rows, others)."""
    if isinstance(rows, csr_matrix):
        sparse: Floats = (rows @ others.T).toarray().astype(np.float32, copy=False)
        return sparse
    dense: Floats = np.exp(np.float32(_SHARPNESS) * (rows @ others.T - 1))
    return dense


def pick(readings: Readings, rows: npt.NDArray[np.int64]) -> Readings:
    """Some of the texts."""
    chosen: Readings = readings[rows]
    return chosen
