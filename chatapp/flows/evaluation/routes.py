"""Whether each question takes the right way, to the right entry or passages: nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatapp.flows.evaluation.matching import (
    Miss,
    expected,
    is_right_entry,
    is_right_passage,
    share,
)
from chatapp.flows.evaluation.questions import Question
from chatapp.knowledge_records import Collection, FaqEntry, FaqMatch, Found, Hit, Route
from chatapp.records import ChatMessage


class Decided(Protocol):
    """The way of a question."""

    @property
    def route(self) -> Route:
        """Where the answer comes from."""
        ...

    @property
    def faq(self) -> FaqMatch | None:
        """The nearest entry, accepted or not."""
        ...

    @property
    def found(self) -> Found | None:
        """The passages that were considered."""
        ...


class Decides(Protocol):
    """What chooses the way of a question."""

    def decide(
        self, question: str, history: Sequence[ChatMessage], collection: Collection
    ) -> Decided:
        """The way, and what was found on it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteScores:
    """Shares over questions in scope, or over those out of it; None where there are none.

    Attributes:
        accuracy_at_1: in scope: the first choice is right, whether or not it would be given.
        answered_in_scope: answered from the FAQ or from sources.
        answered_rightly: of those answered, how many from the right entry or passage.
        refused_out_of_scope: told that there is no answer.
        confusion: how many questions that expect a route (``faq``, ``sources``, ``refused``) took
            which route.
        misses: wrong first choices, wrong refusals and wrong answers.
    """

    questions: int
    in_scope: int
    accuracy_at_1: float | None
    answered_in_scope: float | None
    answered_rightly: float | None
    refused_out_of_scope: float | None
    confusion: Mapping[str, Mapping[str, int]]
    misses: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a question.

    Attributes:
        right: whether the first choice is the right one.
        choice: it, in short.
    """

    question: Question
    route: str
    right: bool
    choice: str

    @property
    def answered(self) -> bool:
        return self.route in ("faq", "sources", "quote")

    @property
    def good(self) -> bool:
        return self.answered and self.right if self.question.in_scope else self.route == "refused"


def evaluate_routes(
    router: Decides,
    collection: Collection,
    questions: Sequence[Question],
    advance: Callable[[], None] = lambda: None,
) -> RouteScores:
    """Decide the route of every question, each as the first of a conversation."""
    outcomes: list[_Outcome] = []
    for question in questions:
        outcomes.append(_outcome(question, router.decide(question.question, (), collection)))
        advance()
    inside = [outcome for outcome in outcomes if outcome.question.in_scope]
    outside = [outcome for outcome in outcomes if not outcome.question.in_scope]
    answered = [outcome for outcome in inside if outcome.answered]
    return RouteScores(
        questions=len(outcomes),
        in_scope=len(inside),
        accuracy_at_1=share(sum(outcome.right for outcome in inside), len(inside)),
        answered_in_scope=share(len(answered), len(inside)),
        answered_rightly=share(sum(outcome.right for outcome in answered), len(answered)),
        refused_out_of_scope=share(sum(outcome.good for outcome in outside), len(outside)),
        confusion=_confusion(outcomes),
        misses=tuple(_miss(outcome) for outcome in outcomes if not outcome.good),
    )


def _outcome(question: Question, decision: Decided) -> _Outcome:
    entry = decision.faq.entry if decision.faq else None
    hits = decision.found.hits if decision.found else ()
    first = next((hit for hit in hits if hit.dropped is None), next(iter(hits), None))
    right_entry = entry is not None and is_right_entry(question, entry)
    right_passage = first is not None and _is_right(question, first)
    match decision.route:
        case "faq":
            right = right_entry
        case "sources" | "quote":
            right = right_passage
        case _:
            # Refused: the nearest of either kind would have been the answer.
            right = right_entry or right_passage
    return _Outcome(question, decision.route, right, _choice(decision.route, entry, first))


def _is_right(question: Question, hit: Hit) -> bool:
    passage = hit.passage
    return is_right_passage(question, passage.document, passage.title, passage.text)


def _choice(route: str, entry: FaqEntry | None, first: Hit | None) -> str:
    if route == "faq" and entry:
        return f"faq: {entry.questions[0]}"
    if route in ("sources", "quote") and first:
        return f"{route}: {' › '.join((first.passage.document, *first.passage.heading))}"
    nearest = entry.questions[0] if entry else first.passage.document if first else "nothing"
    return f"{route} (nearest: {nearest})"


def _miss(outcome: _Outcome) -> Miss:
    question = outcome.question
    return Miss(question.line, question.question, expected(question), outcome.choice)


def _confusion(outcomes: Sequence[_Outcome]) -> dict[str, dict[str, int]]:
    counts = Counter((_expected_route(outcome.question), outcome.route) for outcome in outcomes)
    rows: dict[str, dict[str, int]] = {}
    for (wanted, got), count in sorted(counts.items()):
        rows.setdefault(wanted, {})[got] = count
    return rows


def _expected_route(question: Question) -> str:
    if not question.in_scope:
        return "refused"
    return "sources" if question.answer is None else "faq"
