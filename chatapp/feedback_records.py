"""The nouns of feedback: remarks on answers, what was learned from them, and blind votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from chatapp.knowledge_records import FaqEntry, Grounding
from chatapp.records import ChatMessage

Reason = Literal["wrong", "incomplete", "outdated", "not_from_documents", "tone", "other"]
"""What is wrong with an answer, as its reader says it."""

REASONS: Final[tuple[Reason, ...]] = (
    "wrong",
    "incomplete",
    "outdated",
    "not_from_documents",
    "tone",
    "other",
)

RemarkStatus = Literal["open", "approved", "faq", "missing_document", "rejected", "withdrawn"]
"""``open`` waits for a reviewer; ``withdrawn`` was taken back by whoever gave it."""

DECISIONS: Final[tuple[RemarkStatus, ...]] = ("approved", "faq", "missing_document", "rejected")
"""What a reviewer can make of an open one."""

HELD_OUT_IN: Final = 5
"""One correction in so many is set aside for evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRemark:
    """What a person says about an answer, with all that a reviewer has to know of it.

    Attributes:
        question, answer: as they were when they were shown.
        earlier: the turns before the question, as far as they help to understand it.
        model, adapter: what wrote the answer; no adapter is the base model.
        grounding: the route and the sources, without the trace.
        reason: None where none was chosen.
        better: what it should have said; empty where nothing was suggested.
    """

    message_id: str
    conversation_id: str
    owner: str
    question: str
    answer: str
    earlier: tuple[ChatMessage, ...] = ()
    model: str | None = None
    adapter: str | None = None
    grounding: Grounding | None = None
    reason: Reason | None = None
    comment: str = ""
    better: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a decision made, so that it can be undone.

    Attributes:
        example_id: the approved example.
        replaced: the example's question and answer before, where it was there already.
        collection_id: of the FAQ entry, or of the open question.
        faq_added, faq_removed: ids of entries.
        faq_changed: entries as they were before.
        faq_at: when the collection's entries were last changed, this decision included.
        unanswered_id: the open question that asks for a document.
    """

    example_id: str = ""
    replaced: tuple[str, str] | None = None
    collection_id: str = ""
    faq_added: tuple[str, ...] = ()
    faq_removed: tuple[str, ...] = ()
    faq_changed: tuple[FaqEntry, ...] = ()
    faq_at: datetime | None = None
    unanswered_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark(NewRemark):
    """A remark as the database keeps it; one a message at most.

    Attributes:
        at: when it was given, or last changed by who gave it.
        decided_at: when a reviewer decided; None while it is open.
        outcome: what the decision made; None while it is open.
    """

    id: str
    at: datetime
    status: RemarkStatus = "open"
    decided_at: datetime | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A question with the answer that a reviewer approved for it.

    Attributes:
        key: SHA-256 of the normalised question, in hex: the same question has the same key.
        remark_id: the remark it was made of.
    """

    id: str
    question: str
    answer: str
    key: str
    remark_id: str
    created_at: datetime
    updated_at: datetime

    @property
    def held_out(self) -> bool:
        """Whether it is set aside for evaluation. The key alone decides: an edited answer, or the
        same question approved again after years, never moves between the parts."""
        return int(self.key[:8], 16) % HELD_OUT_IN == 0


Verdict = Literal["first", "second", "tie", "both_bad"]
"""Which of two answers is better; ``first`` and ``second`` are those of the vote's adapters,
wherever they stood on the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVote:
    """A blind verdict on two answers to one question.

    Attributes:
        adapters: whose answers they are; None is the base model.
        answers: in the same order.
        swapped: whether the second stood on the left.
    """

    question: str
    adapters: tuple[str | None, str | None]
    answers: tuple[str, str]
    swapped: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(NewVote):
    """A vote as the database keeps it."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How one adapter fared against another in blind votes; None is the base model."""

    adapter: str | None
    other: str | None
    wins: int = 0
    losses: int = 0
    ties: int = 0
    both_bad: int = 0

    @property
    def votes(self) -> int:
        """How many there were."""
        return self.wins + self.losses + self.ties + self.both_bad

    @property
    def win_rate(self) -> float | None:
        """Share of the votes that chose one of the two and chose this; None without such votes."""
        decided = self.wins + self.losses
        return self.wins / decided if decided else None
