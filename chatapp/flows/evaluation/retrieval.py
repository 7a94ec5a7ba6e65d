"""Whether the search finds the document that holds the answer, and how far up."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatapp.errors import InvalidRequest
from chatapp.flows.evaluation.matching import Miss, expected, is_right_passage, share
from chatapp.flows.evaluation.questions import Question
from chatapp.knowledge_records import Collection, Found, Hit

DEPTH = 10
"""Places that are looked at."""

_HITS = 50
"""Passages that are asked for: several may be of one document, which has one place."""


class Searches(Protocol):
    """What finds passages."""

    def search(self, collection: Collection, query: str, *, k: int = 8) -> Found:
        """The passages nearest to a query, best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalScores:
    """Means over the questions that name a document; of several names, any is right.

    Attributes:
        skipped: questions that name none.
        recall_at_1, recall_at_5: how often a right document is among the first places.
        mrr: 1 / its place; 0 beyond the tenth place.
        ndcg_at_10: 1 / log2(1 + its place), which normalised discounted cumulative gain (Järvelin
            & Kekäläinen 2002) comes to with one right document.
        median_ms, p95_ms: a search, the embedding of the question included.
        misses: questions whose right document is not in the first place.
    """

    questions: int
    skipped: int
    recall_at_1: float | None
    recall_at_5: float | None
    mrr: float | None
    ndcg_at_10: float | None
    median_ms: float
    p95_ms: float
    misses: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The documents that came, best first, and the place of the right one, from 0."""

    names: tuple[str, ...]
    place: int | None

    def within(self, depth: int) -> bool:
        return self.place is not None and self.place < depth


def evaluate_retrieval(
    search: Searches,
    collection: Collection,
    questions: Sequence[Question],
    advance: Callable[[], None] = lambda: None,
) -> RetrievalScores:
    """Search for every question that names a document.

    Passages that the chat would leave out as too weak count with the place they have, and a
    document takes the place of its best passage. Where a question says what the passage
    ``contains``, the best one with those words has a place of its own.

    Raises:
        InvalidRequest: no question names a document.
    """
    asked = [question for question in questions if question.documents]
    if not asked:
        raise InvalidRequest("None of the questions names a document to be found.")
    rankings: list[_Ranking] = []
    seconds: list[float] = []
    for question in asked:
        start = time.perf_counter()
        found = search.search(collection, question.question, k=_HITS)
        seconds.append(time.perf_counter() - start)
        rankings.append(_ranking(question, found.hits))
        advance()
    count = len(asked)
    places = [ranking.place for ranking in rankings if ranking.place is not None]
    return RetrievalScores(
        questions=count,
        skipped=len(questions) - count,
        recall_at_1=share(sum(ranking.within(1) for ranking in rankings), count),
        recall_at_5=share(sum(ranking.within(5) for ranking in rankings), count),
        mrr=share(sum(1 / (place + 1) for place in places), count),
        ndcg_at_10=share(sum(1 / math.log2(place + 2) for place in places), count),
        median_ms=statistics.median(seconds) * 1000,
        p95_ms=sorted(seconds)[math.ceil(0.95 * count) - 1] * 1000,
        misses=tuple(
            Miss(question.line, question.question, expected(question), ", ".join(ranking.names[:3]))
            for question, ranking in zip(asked, rankings, strict=True)
            if not ranking.within(1)
        ),
    )


def _ranking(question: Question, hits: Sequence[Hit]) -> _Ranking:
    names: list[str] = []
    seen: set[tuple[str, bool]] = set()
    for hit in hits:
        passage = hit.passage
        fits = is_right_passage(question, passage.document, passage.title, passage.text)
        if (passage.document, fits) in seen:
            continue
        seen.add((passage.document, fits))
        names.append(passage.document)
        if fits:
            return _Ranking(tuple(names), len(names) - 1)
        if len(names) == DEPTH:
            break
    return _Ranking(tuple(names), None)
