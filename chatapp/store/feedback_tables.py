"""The tables of feedback, as the code of this room sees them. A change here needs a migration."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Boolean, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from chatapp.feedback_records import (
    Correction,
    NewRemark,
    NewVote,
    Reason,
    Remark,
    RemarkStatus,
    Verdict,
    Vote,
)
from chatapp.store.columns import AnyString, AnyText, UtcDateTime
from chatapp.store.grounding import packed, unpacked
from chatapp.store.outcomes import pack_turns, unpack_outcome, unpack_turns
from chatapp.store.tables import Base

_THERE = text("deleted_at IS NULL")


class RemarkRow(Base):
    """What a person said about an answer.

    It refers to its message by id alone, and holds copies of what was said: it is the team's to
    read, also when the conversation is gone.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        Index("ux_feedback_message", "message_id", unique=True),
        Index("ix_feedback_status", "status", "at"),
        Index("ix_feedback_conversation", "conversation_id"),
    )

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    message_id: Mapped[str] = mapped_column(AnyString(32))
    conversation_id: Mapped[str] = mapped_column(AnyString(32))
    owner: Mapped[str] = mapped_column(AnyString(128))
    question: Mapped[str] = mapped_column(AnyText)
    answer: Mapped[str] = mapped_column(AnyText)
    earlier: Mapped[str] = mapped_column(AnyText)
    model: Mapped[str | None] = mapped_column(AnyText)
    adapter: Mapped[str | None] = mapped_column(AnyText)
    grounding: Mapped[str | None] = mapped_column(AnyText)
    reason: Mapped[str | None] = mapped_column(String(32))
    comment: Mapped[str] = mapped_column(AnyText)
    better: Mapped[str] = mapped_column(AnyText)
    status: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(AnyText)

    def fill(self, new: NewRemark) -> None:
        """Write what a person said, and what they said it about."""
        self.conversation_id, self.owner = new.conversation_id, new.owner
        self.question, self.answer = new.question, new.answer
        self.earlier = pack_turns(new.earlier)
        self.model, self.adapter = new.model, new.adapter
        self.grounding = packed(new.grounding)
        self.reason, self.comment, self.better = new.reason, new.comment, new.better

    def record(self) -> Remark:
        """The row as the rest of the house sees it."""
        return Remark(
            id=self.id,
            message_id=self.message_id,
            conversation_id=self.conversation_id,
            owner=self.owner,
            question=self.question,
            answer=self.answer,
            earlier=unpack_turns(self.earlier),
            model=self.model,
            adapter=self.adapter,
            grounding=unpacked(self.grounding),
            reason=cast(Reason | None, self.reason),
            comment=self.comment,
            better=self.better,
            status=cast(RemarkStatus, self.status),
            at=self.at,
            decided_at=self.decided_at,
            outcome=unpack_outcome(self.outcome),
        )


class ExampleRow(Base):
    """A question with its approved answer."""

    __tablename__ = "examples"
    __table_args__ = (
        Index("ux_examples_key", "key", unique=True, sqlite_where=_THERE, postgresql_where=_THERE),
    )

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    question: Mapped[str] = mapped_column(AnyText)
    answer: Mapped[str] = mapped_column(AnyText)
    key: Mapped[str] = mapped_column(String(64))
    remark_id: Mapped[str] = mapped_column(AnyString(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def record(self) -> Correction:
        """The row as the rest of the house sees it."""
        return Correction(
            id=self.id,
            question=self.question,
            answer=self.answer,
            key=self.key,
            remark_id=self.remark_id,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class VoteRow(Base):
    """A blind verdict on two answers; adapters by name, as one may be deleted."""

    __tablename__ = "votes"

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    question: Mapped[str] = mapped_column(AnyText)
    first_adapter: Mapped[str | None] = mapped_column(AnyString(64))
    second_adapter: Mapped[str | None] = mapped_column(AnyString(64))
    first_answer: Mapped[str] = mapped_column(AnyText)
    second_answer: Mapped[str] = mapped_column(AnyText)
    swapped: Mapped[bool] = mapped_column(Boolean)
    verdict: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def of(cls, new: NewVote, id: str, at: datetime) -> VoteRow:  # noqa: A002
        """A vote that is not stored yet."""
        first, second = new.adapters
        return cls(
            id=id,
            question=new.question,
            first_adapter=first,
            second_adapter=second,
            first_answer=new.answers[0],
            second_answer=new.answers[1],
            swapped=new.swapped,
            verdict=new.verdict,
            at=at,
        )

    def record(self) -> Vote:
        """The row as the rest of the house sees it."""
        return Vote(
            id=self.id,
            question=self.question,
            adapters=(self.first_adapter, self.second_adapter),
            answers=(self.first_answer, self.second_answer),
            swapped=self.swapped,
            verdict=cast(Verdict, self.verdict),
            at=self.at,
        )
