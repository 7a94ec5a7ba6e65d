"""Texts as the character n-grams in them: the words that embedders of many languages overlook.

Weighted by TF-IDF with logarithmic counts (Salton and Buckley 1988). An n-gram is known by its
hash, so there is no vocabulary to keep, and nothing that people wrote is in the file.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from chatapp.training.classify.likeness import Floats

_LENGTHS = (1, 2, 3, 4)
_BUCKETS = 1 << 22
_READ = 2_000
"""Characters of a text; what follows changes little and costs time."""
_FEWEST = 2
"""Texts that an n-gram must be in to count."""
_SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams that count.

    Attributes:
        hashes: of each, ascending.
        weights: how rare each is; the same order.
    """

    hashes: npt.NDArray[np.int64]
    weights: Floats

    def read(self, texts: Sequence[str]) -> csr_matrix:
        """A row for each text, of length 1, or of zeros where nothing in it counts."""
        values, columns, ends = [np.empty(0, np.float32)], [np.empty(0, np.int64)], [0]
        for text in texts:
            known, counts = self._known(_counted(text))
            row = (1 + np.log(counts)).astype(np.float32) * self.weights[known]
            values.append(row / max(float(np.linalg.norm(row)), _SMALLEST))
            columns.append(known)
            ends.append(ends[-1] + len(known))
        parts = np.concatenate(values), np.concatenate(columns), np.array(ends)
        return csr_matrix(parts, shape=(len(texts), len(self.hashes)), dtype=np.float32)

    def _known(
        self, counted: Mapping[int, int]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Which columns, and how often; both in the order of the columns."""
        hashes = np.fromiter(sorted(counted), np.int64, len(counted))
        places = np.searchsorted(self.hashes, hashes)
        places[places == len(self.hashes)] = 0
        hit = self.hashes[places] == hashes if len(self.hashes) else np.zeros(len(hashes), bool)
        counts = np.fromiter((counted[int(one)] for one in hashes[hit]), np.int64, int(hit.sum()))
        return places[hit], counts


def learn_grams(texts: Iterable[str]) -> Grams:
    """Which n-grams there are in these texts, and how rare each is."""
    seen: Counter[int] = Counter()
    total = 0
    for text in texts:
        seen.update(_counted(text).keys())
        total += 1
    hashes = np.array(sorted(one for one, count in seen.items() if count >= _FEWEST), np.int64)
    counts = np.array([seen[int(one)] for one in hashes], np.float64)
    return Grams(hashes, (np.log((1 + total) / (1 + counts)) + 1).astype(np.float32))


def _counted(text: str) -> Mapping[int, int]:
    """How often each n-gram is in a text, by its hash."""
    flat = f" {' '.join(text[:_READ].lower().split())} "
    return Counter(
        zlib.crc32(flat[at : at + length].encode("utf-8", "replace")) % _BUCKETS
        for length in _LENGTHS
        for at in range(len(flat) - length + 1)
    )
