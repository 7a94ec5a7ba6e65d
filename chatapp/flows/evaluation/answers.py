"""Every question answered end to end, and the answers read."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from chatapp.events import Event, Failed, Token
from chatapp.flows.evaluation.matching import Miss, contains, expected, is_document, share
from chatapp.flows.evaluation.questions import Question
from chatapp.flows.grounds import ALONE, Grounds
from chatapp.knowledge.sentences import units
from chatapp.knowledge_records import Grounding, Route

AT_ONCE = 4
"""Questions that are answered side by side."""


class Asks(Protocol):
    """What answers a question from one collection."""

    def __call__(self, question: str, /) -> AsyncGenerator[Event, None]:
        """The events of the answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScores:
    """Shares; None where there is nothing to share.

    Attributes:
        contained: in scope: the answer has the words it should have; where only a document is
            known, it cites that.
        sentences_supported: sentences that are not flagged, of all written from sources.
        refused_rightly: of the questions out of scope.
        refused_wrongly: of the questions in scope.
        failed: answers that ended in an error; they count as wrong.
        routes: how many answers took which route.
    """

    questions: int
    in_scope: int
    contained: float | None
    sentences_supported: float | None
    refused_rightly: float | None
    refused_wrongly: float | None
    failed: int
    routes: Mapping[str, int]
    misses: tuple[Miss, ...]


@dataclass(slots=True)
class _Answered:
    """An answer while it is read."""

    question: Question
    text: str = ""
    error: str = ""
    grounds: Grounds = field(default_factory=Grounds)

    def take(self, event: Event) -> None:
        self.grounds.seen(event)
        match event:
            case Token(text):
                self.text += text
            case Failed(_, sentence):
                self.error = sentence

    @property
    def grounding(self) -> Grounding:
        return self.grounds.grounding or ALONE

    @property
    def route(self) -> Route:
        return self.grounding.route

    @property
    def good(self) -> bool:
        if self.error or self.route == "refused":
            return not self.error and not self.question.in_scope
        if not self.question.in_scope:
            return False
        known = [words for words in (self.question.answer, self.question.contains) if words]
        if known:
            return any(contains(self.text, words) for words in known)
        return any(
            is_document(self.question.documents, source.document, source.title)
            for source in self.grounding.sources
            if source.cited
        )

    def sentences(self) -> tuple[int, int]:
        """How many there are, and how many of them are flagged; none unless from sources."""
        if self.route != "sources":
            return 0, 0
        spans = [(unit.start, unit.end) for unit in units(self.text) if unit.kind != "heading"]
        flagged = [
            any(flag.start < end and start < flag.end for flag in self.grounding.flags)
            for start, end in spans
        ]
        return len(spans), sum(flagged)


async def evaluate_answers(
    ask: Asks, questions: Sequence[Question], advance: Callable[[], None] = lambda: None
) -> AnswerScores:
    """Ask every question, a few at once, each as the first of a conversation."""
    places = asyncio.Semaphore(AT_ONCE)

    async def answered(question: Question) -> _Answered:
        answer = _Answered(question)
        async with places, aclosing(ask(question.question)) as events:
            async for event in events:
                answer.take(event)
        advance()
        return answer

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(answered(question)) for question in questions]
    return _scores([task.result() for task in tasks])


def _scores(answers: Sequence[_Answered]) -> AnswerScores:
    inside = [answer for answer in answers if answer.question.in_scope]
    outside = [answer for answer in answers if not answer.question.in_scope]
    counted = [answer.sentences() for answer in answers]
    sentences, flagged = (sum(column) for column in zip((0, 0), *counted, strict=True))
    return AnswerScores(
        questions=len(answers),
        in_scope=len(inside),
        contained=share(sum(answer.good for answer in inside), len(inside)),
        sentences_supported=share(sentences - flagged, sentences),
        refused_rightly=share(sum(answer.good for answer in outside), len(outside)),
        refused_wrongly=share(sum(answer.route == "refused" for answer in inside), len(inside)),
        failed=sum(bool(answer.error) for answer in answers),
        routes=dict(sorted(Counter(answer.route for answer in answers).items())),
        misses=tuple(
            Miss(answer.question.line, answer.question.question, expected(answer.question), got)
            for answer in answers
            if not answer.good and (got := answer.error or f"{answer.route}: {answer.text}")
        ),
    )
