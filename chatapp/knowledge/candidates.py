"""The passages worth a closer look, and what is known of how well each fits a query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.snapshot import Snapshot

POOL = 100
"""Candidates that each of the two searches names."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """A query and what was made of it.

    Attributes:
        vector: shape (dimension,), of length 1.
        language: ISO 639-1; empty if unknown.
    """

    text: str
    vector: Values
    language: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """Some rows of a snapshot and how they fit, each array of shape (rows,).

    Attributes:
        dense: cosine of passage and query.
        lexical: BM25; 0 where no word matches.
        match: BM25 as a share of the most that any passage could reach, 0 to 1.
        context: the share of the query's words that the passage's document has anywhere, rare
            words counting more, 0 to 1.
        foreign: whether the passage is in another language than the query, so that its words
            cannot be expected to match.
    """

    rows: npt.NDArray[np.int64]
    dense: Values
    lexical: Values
    match: Values
    context: Values
    foreign: npt.NDArray[np.bool_]


def candidates(snapshot: Snapshot, query: ReadQuery, allowed: npt.NDArray[np.bool_]) -> Candidates:
    """The best of both searches.

    Args:
        allowed: shape (rows,): which rows may be found.
    """
    words = snapshot.lexical.query(query.text, query.language)
    weights = snapshot.lexical.weights(words)
    scores = snapshot.lexical.scores(words)
    scores[~allowed] = 0
    matching = np.flatnonzero(scores)
    if len(matching) > POOL:
        matching = matching[np.argpartition(-scores[matching], POOL)[:POOL]]
    near, _ = snapshot.dense.search(query.vector, POOL, allowed)
    rows = np.union1d(near, matching)
    return Candidates(
        rows=rows,
        dense=snapshot.dense.vectors(rows) @ query.vector,
        lexical=scores[rows],
        match=scores[rows] / max(float(weights.sum()), 1e-6),
        context=_context(snapshot, words, weights, rows),
        foreign=_foreign(snapshot.languages[rows], query.language),
    )


def _context(
    snapshot: Snapshot,
    words: tuple[tuple[int, ...], ...],
    weights: Values,
    rows: npt.NDArray[np.int64],
) -> Values:
    documents = snapshot.documents
    found = np.zeros(len(rows), np.float32)
    for word, weight in zip(words, weights, strict=True):
        there = np.zeros(int(documents[-1]) + 1 if len(documents) else 0, np.bool_)
        there[documents[snapshot.lexical.rows(word)]] = True
        found += weight * there[documents[rows]]
    return found / max(float(weights.sum()), 1e-6)


def _foreign(languages: npt.NDArray[np.bytes_], language: str) -> npt.NDArray[np.bool_]:
    if not language:
        return np.zeros(len(languages), np.bool_)
    foreign: npt.NDArray[np.bool_] = (languages != language.encode()) & (languages != b"")
    return foreign
