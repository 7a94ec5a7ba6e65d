"""Where refusing should begin: every threshold weighed on questions whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chatapp.errors import InvalidRequest
from chatapp.flows.evaluation.matching import is_right_entry, is_right_passage
from chatapp.flows.evaluation.questions import Question
from chatapp.flows.evaluation.retrieval import Searches
from chatapp.knowledge_records import Collection, FaqMatch

STEP = 0.01
_WRONG = 0.5
"""What a wrong answer costs, where a right one gains 1 and a refusal nothing."""

_SHOWN = 5
"""Every fifth step is a point of the curves."""
_GRID = np.round(np.arange(STEP, 1, STEP), 2)

Numbers = npt.NDArray[np.float64]


class Matches(Protocol):
    """What finds the FAQ entry nearest to a question."""

    def match(self, collection: Collection, question: str) -> FaqMatch | None:
        """The entry; None without any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a pair of thresholds does.

    Attributes:
        answered: share of the questions in scope that are answered.
        answered_rightly: share of the questions in scope answered from the right entry or passage.
        refused: share of the questions out of scope that are refused.
    """

    threshold: float
    faq_threshold: float
    answered: float
    answered_rightly: float
    refused: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The best thresholds and the way there.

    Attributes:
        before, best: what the thresholds in use do, and the best ones. Each is worked out from
            the relevance of the best passage and the confidence of the nearest entry.
        reached: whether ``best`` refuses the share that was asked for.
        curve: other thresholds for passages, with the best one for the FAQ; empty where no
            passage was found for any question.
        faq_curve: other thresholds for the FAQ, with the best one for passages; empty where there
            is no FAQ.
    """

    questions: int
    before: Point
    best: Point
    reached: bool
    curve: tuple[Point, ...]
    faq_curve: tuple[Point, ...]


def calibrate(
    search: Searches,
    matcher: Matches,
    collection: Collection,
    questions: Sequence[Question],
    *,
    refuse: float = 0.95,
    advance: Callable[[], None] = lambda: None,
) -> Calibration:
    """Find the thresholds that answer most questions rightly and still refuse enough.

    Args:
        refuse: share of the questions out of scope that must be refused. Where no threshold
            reaches it, answers and refusals weigh the same.
        advance: called after each question.

    Raises:
        InvalidRequest: the questions are not both in and out of scope.
    """
    if len({question.in_scope for question in questions}) < 2:
        raise InvalidRequest(
            "To tune a threshold, some questions must be in scope and some must not be "
            "(in_scope false)."
        )
    scores = _Scores(search, matcher, collection, questions, advance)
    points = np.stack([scores.shares(_GRID, faq_threshold) for faq_threshold in _GRID], axis=1)
    answered, rightly, refused = np.moveaxis(points, 2, 0)
    gain = rightly - _WRONG * (answered - rightly)
    enough = refused >= refuse
    value = np.where(enough, gain, -np.inf) if enough.any() else gain + refused
    at, faq_at = _middle(value)
    steps = _GRID[_SHOWN - 1 :: _SHOWN]
    curve = tuple(scores.point(step, _GRID[faq_at]) for step in steps)
    faq_curve = tuple(scores.point(_GRID[at], step) for step in steps)
    return Calibration(
        questions=len(questions),
        before=scores.point(scores.threshold, scores.faq_threshold),
        best=scores.point(_GRID[at], _GRID[faq_at]),
        reached=bool(enough.any()),
        curve=curve if scores.with_passages else (),
        faq_curve=faq_curve if scores.with_faq else (),
    )


class _Scores:
    """What was found for each question, whatever the thresholds.

    Attributes:
        threshold, faq_threshold: those in use.
        with_passages, with_faq: whether there are any of them at all.
    """

    def __init__(
        self,
        search: Searches,
        matcher: Matches,
        collection: Collection,
        questions: Sequence[Question],
        advance: Callable[[], None],
    ) -> None:
        self.with_passages = self.with_faq = False
        open_to_all = replace(collection, threshold=0.0, faq_threshold=0.0)
        rows: list[tuple[bool, float, bool, float, bool]] = []
        self.threshold = search.search(collection, questions[0].question).threshold
        in_use = matcher.match(collection, questions[0].question)
        self.faq_threshold = in_use.threshold if in_use else 1.0
        for question in questions:
            found = search.search(open_to_all, question.question)
            match = matcher.match(open_to_all, question.question)
            best = next(iter(found.kept), None)
            right = best is not None and is_right_passage(
                question, best.passage.document, best.passage.title, best.passage.text
            )
            # A match that only the margin to the runner-up rules out is never given.
            confidence = match.confidence if match and match.accepted else 0.0
            right_entry = match is not None and is_right_entry(question, match.entry)
            relevance = best.relevance if best else 0.0
            rows.append((question.in_scope, relevance, right, confidence, right_entry))
            self.with_passages |= best is not None
            self.with_faq |= match is not None
            advance()
        self._inside, self._relevance, self._right, self._confidence, self._right_entry = (
            np.array(column) for column in zip(*rows, strict=True)
        )

    def shares(self, thresholds: Numbers, faq_threshold: float) -> Numbers:
        """Answered and answered rightly in scope, refused out of scope; shape (thresholds, 3)."""
        faq = self._confidence >= faq_threshold
        sources = ~faq & (self._relevance >= thresholds[:, None])
        answered = faq | sources
        rightly = (faq & self._right_entry) | (sources & self._right)
        columns = (
            answered[:, self._inside],
            rightly[:, self._inside],
            ~answered[:, ~self._inside],
        )
        return np.stack([column.mean(axis=1) for column in columns], axis=1)

    def point(self, threshold: float, faq_threshold: float) -> Point:
        [(answered, rightly, refused)] = self.shares(np.array([threshold]), faq_threshold).tolist()
        return Point(
            threshold=float(threshold),
            faq_threshold=float(faq_threshold),
            answered=answered,
            answered_rightly=rightly,
            refused=refused,
        )


def _middle(value: Numbers) -> tuple[int, int]:
    """The best cell; of many that are equally good the one farthest from worse ones."""
    best = value >= value.max() - 1e-9
    rows = np.flatnonzero(best.any(axis=1))
    row = int(rows[len(rows) // 2])
    columns = np.flatnonzero(best[row])
    return row, int(columns[len(columns) // 2])
