"""Passages and queries made from a seed: as fast to search as real ones, and no download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

DIMENSION = 512
_WORDS = 60_000
_LENGTH = 90
"""Words of a passage: about 200 tokens less what headings take."""

_TOPICS = 4_000
_SHARED = 40
_PART = 10_000


@dataclass(frozen=True, slots=True)
class Query:
    """A question about one passage: some of its words, and a vector near its own."""

    text: str
    vector: Vectors
    passage: int


class Corpus:
    """Passages by number; the same seed makes the same ones.

    Vectors lie around topics in a few dozen directions and stray a little from them, so that an
    inverted file misses about as few as it does of real ones (1% to 3% at 100,000 passages);
    words are as rare as in a language (Zipf).
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self._seed = seed
        random = np.random.default_rng(seed)
        self._topics = random.normal(size=(_TOPICS, _SHARED)).astype(np.float32)
        self._common = random.normal(size=(_SHARED, DIMENSION)).astype(np.float32)
        letters = random.integers(97, 123, size=(_WORDS, 7), dtype=np.uint8)
        self._words = [bytes(row[: 3 + place % 5]).decode() for place, row in enumerate(letters)]
        chances = 1 / np.arange(10, _WORDS + 10)
        self._up_to = np.cumsum(chances / chances.sum())

    def vectors(self) -> Iterator[Vectors]:
        """All vectors, shape (some, DIMENSION) at a time, each of length 1."""
        for start in range(0, self.size, _PART):
            random = np.random.default_rng((self._seed, 1, start))
            count = min(_PART, self.size - start)
            topics = self._topics[random.integers(0, _TOPICS, count)]
            about = topics + 0.5 * random.normal(size=(count, _SHARED)).astype(np.float32)
            own = random.normal(size=(count, DIMENSION)).astype(np.float32)
            yield _unit(about @ self._common + 3.5 * own)

    def text(self, number: int) -> str:
        """The words of one passage."""
        random = np.random.default_rng((self._seed, 2, number))
        chosen = np.searchsorted(self._up_to, random.random(_LENGTH))
        return " ".join(self._words[min(place, _WORDS - 1)] for place in chosen) + "."

    def queries(self, count: int) -> list[Query]:
        """Each of six words and a vector whose cosine with its passage is about 0.66."""
        random = np.random.default_rng((self._seed, 3))
        numbers = random.integers(0, self.size, count)
        found: dict[int, Vectors] = {}
        start = 0
        for part in self.vectors():
            for number in numbers[(numbers >= start) & (numbers < start + len(part))]:
                found[int(number)] = part[number - start]
            start += len(part)
        queries = []
        for number in map(int, numbers):
            words = self.text(number).rstrip(".").split()
            noise = 0.05 * random.normal(size=DIMENSION).astype(np.float32)
            text = " ".join(random.choice(words, 6, replace=False))
            queries.append(Query(text, _unit(found[number] + noise), number))
        return queries


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = (vectors / lengths).astype(np.float32)
    return unit
