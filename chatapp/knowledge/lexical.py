"""BM25 that follows a changing collection.

The package bm25s computes every score when it builds its index, so that one new passage means
building it again (100,000 passages: half a minute). Here the counts are kept instead, in a few
sorted segments, and a query computes the scores of its own terms: the same scores, at any time
of exactly the passages there are.

Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", in Lucene's
variant, which leaves the factor k1 + 1 out and keeps every weight above 0.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.analysis import HAN, run_terms, runs, terms

K1, B = 1.2, 0.5

Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segment:
    """Some postings, sorted by term and then by row.

    Attributes:
        terms: shape (terms,), ascending, unique: hashes of terms.
        starts: shape (terms + 1,): where the postings of each term begin.
        rows, counts: shape (postings,): the row that holds the term, and how often (up to 255).
    """

    terms: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        hashes: npt.NDArray[np.uint64],
        rows: npt.NDArray[np.int32],
        counts: npt.NDArray[np.uint8],
    ) -> Segment:
        """From one entry a posting, where the rows of a term come in ascending order."""
        order = np.argsort(hashes, kind="stable")
        found, starts = np.unique(hashes[order], return_index=True)
        ends = np.append(starts, len(hashes)).astype(np.int64)
        return cls(found, ends, rows[order], counts[order])

    def postings(self, term: int) -> slice:
        """Where the postings of a term are; an empty slice if there are none."""
        place = int(np.searchsorted(self.terms, np.uint64(term)))
        if place == len(self.terms) or int(self.terms[place]) != term:
            return slice(0, 0)
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def spread(self) -> npt.NDArray[np.uint64]:
        """The term of each posting."""
        return np.repeat(self.terms, np.diff(self.starts))


Query = tuple[tuple[int, ...], ...]
"""A question's words; for each the hashes of its terms, one for each language it may be in."""


@dataclass(frozen=True, slots=True)
class LexicalIndex:
    """The words of the passages, by row. It never changes; changes make another.

    Attributes:
        lengths: shape (rows,): terms of each passage, up to 65,535.
        languages: of the passages, and ``HAN`` where there are Chinese characters.
    """

    segments: tuple[Segment, ...] = ()
    lengths: npt.NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, np.uint16))
    languages: frozenset[str] = frozenset()

    def added(self, texts: Sequence[tuple[str, str]]) -> LexicalIndex:
        """With the next rows: (text, language) each."""
        if not texts:
            return self
        counted = [Counter(terms(text, language)) for text, language in texts]
        sizes = np.array([len(counts) for counts in counted], np.int64)
        first = len(self.lengths)
        segment = Segment.of(
            np.array([_hash(term) for counts in counted for term in counts], np.uint64),
            np.repeat(np.arange(first, first + len(texts), dtype=np.int32), sizes),
            np.array([min(n, 255) for counts in counted for n in counts.values()], np.uint8),
        )
        lengths = np.array([min(counts.total(), 65_535) for counts in counted], np.uint16)
        return LexicalIndex(
            _stacked((*self.segments, segment)),
            np.concatenate([self.lengths, lengths]),
            self.languages | _languages(texts),
        )

    def kept(self, rows: Rows) -> LexicalIndex:
        """Only these rows, ascending; they are counted from 0 again."""
        places = np.full(len(self.lengths), -1, np.int32)
        places[rows] = np.arange(len(rows), dtype=np.int32)
        segments = []
        for one in self.segments:
            moved = places[one.rows]
            stays = moved >= 0
            segments.append(Segment.of(one.spread()[stays], moved[stays], one.counts[stays]))
        return replace(self, segments=_merged(segments), lengths=self.lengths[rows])

    def query(self, text: str, language: str = "") -> Query:
        """A question's words, each once, in every language that passages are in.

        Stop words of the question's own language are left out, and where that is not known those
        of any: a Chinese passage knows no English ones, and would count "how" as a rare word.
        """
        words: dict[tuple[str, ...], None] = {}
        own = (language,) if language else self.languages
        for kind, run in runs(text):
            if kind == "word":
                if not all(run_terms(kind, run, one) for one in own):
                    continue
                read = {term for one in self.languages for term in run_terms(kind, run, one)}
                words[tuple(sorted(read))] = None
            elif kind != "han" or HAN in self.languages:  # jieba is loaded only where it is needed
                words.update(dict.fromkeys((term,) for term in run_terms(kind, run, "")))
        words.pop((), None)
        return tuple(tuple(_hash(term) for term in word) for word in words)

    def scores(self, query: Query) -> Scores:
        """BM25 of every row, shape (rows,); 0 where no word matches."""
        scores = np.zeros(len(self.lengths), np.float32)
        average = max(float(self.lengths.mean()), 1.0) if len(self.lengths) else 1.0
        for term in {term for word in query for term in word}:
            places = [(one, one.postings(term)) for one in self.segments]
            weight = self._weight(sum(where.stop - where.start for _, where in places))
            for one, where in places:
                rows, counts = one.rows[where], one.counts[where].astype(np.float32)
                lengths = self.lengths[rows].astype(np.float32)
                # A term's rows are different from each other, so that += adds to each once.
                scores[rows] += weight * counts / (counts + K1 * (1 - B + B * lengths / average))
        return scores

    def weights(self, query: Query) -> Scores:
        """How much each word of a query counts, shape (words,): its inverse document frequency,
        which is also the most it can add to a score. One that is nowhere counts most."""
        return np.array([self._weight(len(self.rows(word))) for word in query], np.float32)

    def rows(self, word: tuple[int, ...]) -> Rows:
        """The rows with any of a word's terms."""
        found = [one.rows[one.postings(term)] for term in word for one in self.segments]
        joined: Rows = np.concatenate([np.zeros(0, np.int64), *found])
        return joined

    def _weight(self, rows: int) -> float:
        """Inverse document frequency of a term that is in so many rows."""
        rows = min(rows, len(self.lengths))
        return float(np.log1p((len(self.lengths) - rows + 0.5) / (rows + 0.5)))


def _stacked(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Merge from the end while a segment is not twice as large as the next one: each posting is
    then moved only as often as its number doubles."""
    stack = list(segments)
    while len(stack) > 1 and len(stack[-2].rows) < 2 * len(stack[-1].rows):
        stack[-2:] = _merged(stack[-2:])
    return tuple(stack)


def _merged(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """One segment; its rows come in ascending order because those of the parts do."""
    if len(segments) < 2:
        return tuple(segments)
    return (
        Segment.of(
            np.concatenate([one.spread() for one in segments]),
            np.concatenate([one.rows for one in segments]),
            np.concatenate([one.counts for one in segments]),
        ),
    )


def _languages(texts: Sequence[tuple[str, str]]) -> frozenset[str]:
    han = any(kind == "han" for text, _ in texts for kind, _ in runs(text))
    return frozenset(language for _, language in texts) | (
        frozenset((HAN,)) if han else frozenset()
    )


@lru_cache(maxsize=200_000)
def _hash(term: str) -> int:
    """64 bits: among a million terms two of them meet once in 40 million collections."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")
