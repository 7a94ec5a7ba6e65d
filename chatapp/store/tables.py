"""The tables, as the code of this room sees them. A change here needs a migration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chatapp.records import Conversation, FinishReason, Message, MessageStatus, Role, Timing, Usage
from chatapp.store.columns import AnyString, AnyText, UtcDateTime
from chatapp.store.grounding import packed, unpacked


class Base(DeclarativeBase):
    """Knows every table."""


class ConversationRow(Base):
    """A tree of messages.

    ``leaf_id`` is no foreign key: conversations and messages would each need the other first.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_owner", "owner", "updated_at"),)

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    owner: Mapped[str] = mapped_column(AnyString(128))
    title: Mapped[str] = mapped_column(AnyText)
    persona_id: Mapped[str] = mapped_column(AnyText)
    system_prompt: Mapped[str] = mapped_column(AnyText)
    leaf_id: Mapped[str | None] = mapped_column(AnyString(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def record(self) -> Conversation:
        """The row as the rest of the house sees it."""
        return Conversation(
            id=self.id,
            owner=self.owner,
            title=self.title,
            persona_id=self.persona_id,
            system_prompt=self.system_prompt,
            leaf_id=self.leaf_id,
            created_at=self.created_at,
            updated_at=self.updated_at,
            deleted_at=self.deleted_at,
        )


class MessageRow(Base):
    """One message.

    ``writer`` is the server that writes an unfinished answer; ``updated_at`` shows that it still
    lives. Both serve to find the answers of a killed server.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_conversation", "conversation_id"),
        Index("ix_messages_parent", "parent_id"),
        Index("ix_messages_status", "status"),
    )

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        AnyString(32), ForeignKey("conversations.id", ondelete="CASCADE")
    )
    # No cascade: SQLite follows one only a thousand messages down.
    parent_id: Mapped[str | None] = mapped_column(AnyString(32), ForeignKey("messages.id"))
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(AnyText)
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    writer: Mapped[str | None] = mapped_column(AnyText)
    model: Mapped[str | None] = mapped_column(AnyText)
    adapter: Mapped[str | None] = mapped_column(AnyText)
    prompt_tokens: Mapped[int | None] = mapped_column(Integer)
    completion_tokens: Mapped[int | None] = mapped_column(Integer)
    queued_seconds: Mapped[float | None] = mapped_column(Float)
    first_token_seconds: Mapped[float | None] = mapped_column(Float)
    total_seconds: Mapped[float | None] = mapped_column(Float)
    finish_reason: Mapped[str | None] = mapped_column(String(16))
    dropped_turns: Mapped[int] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(AnyText)
    error_code: Mapped[str | None] = mapped_column(AnyText)
    liked: Mapped[bool | None] = mapped_column(Boolean)
    grounding: Mapped[str | None] = mapped_column(AnyText)

    @classmethod
    def of(cls, message: Message, conversation_id: str, ids: Mapping[str, str]) -> MessageRow:
        """A finished message as a row of another conversation, its ids replaced through ``ids``."""
        usage, timing = message.usage, message.timing
        return cls(
            id=ids[message.id],
            conversation_id=conversation_id,
            parent_id=message.parent_id and ids[message.parent_id],
            role=message.role,
            text=message.text,
            status=message.status,
            created_at=message.created_at,
            updated_at=message.created_at,
            model=message.model,
            adapter=message.adapter,
            prompt_tokens=usage and usage.prompt_tokens,
            completion_tokens=usage and usage.completion_tokens,
            queued_seconds=timing and timing.queued,
            first_token_seconds=timing and timing.first_token,
            total_seconds=timing and timing.total,
            finish_reason=message.finish_reason,
            dropped_turns=message.dropped_turns,
            error=message.error,
            error_code=message.error_code,
            liked=message.liked,
            grounding=packed(message.grounding),
        )

    def record(self) -> Message:
        """The row as the rest of the house sees it."""
        return Message(
            id=self.id,
            conversation_id=self.conversation_id,
            parent_id=self.parent_id,
            role=cast(Role, self.role),
            text=self.text,
            status=cast(MessageStatus, self.status),
            created_at=self.created_at,
            model=self.model,
            adapter=self.adapter,
            usage=self._usage(),
            timing=self._timing(),
            finish_reason=cast(FinishReason | None, self.finish_reason),
            dropped_turns=self.dropped_turns,
            error=self.error,
            error_code=self.error_code,
            liked=self.liked,
            grounding=unpacked(self.grounding),
        )

    def _usage(self) -> Usage | None:
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return Usage(self.prompt_tokens, self.completion_tokens)

    def _timing(self) -> Timing | None:
        if self.total_seconds is None:
            return None
        return Timing(self.queued_seconds or 0, self.first_token_seconds or 0, self.total_seconds)
