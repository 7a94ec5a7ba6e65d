"""The tables of adapters, as the code of this room sees them. A change here needs a migration."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Boolean, Float, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from chatapp.store.columns import AnyString, AnyText, UtcDateTime
from chatapp.store.tables import Base
from chatapp.training_records import MessageLabel, Promotion, Purpose, Slot

_THERE = text("deleted_at IS NULL")


class AdapterRow(Base):
    """An adapter; its files are in a folder that is named after its id.

    ``config`` and ``report`` are JSON. The row of a deleted one stays: it says what became of a
    run, and what was live.
    """

    __tablename__ = "adapters"
    __table_args__ = (
        Index(
            "ux_adapters_name", "name", unique=True, sqlite_where=_THERE, postgresql_where=_THERE
        ),
        Index("ix_adapters_run", "run_id"),
    )

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    name: Mapped[str] = mapped_column(AnyString(64))
    slot: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    base_model: Mapped[str] = mapped_column(AnyText)
    base_hash: Mapped[str] = mapped_column(AnyString(64))
    run_id: Mapped[str | None] = mapped_column(AnyString(128))
    data_hash: Mapped[str] = mapped_column(AnyString(64))
    test_hash: Mapped[str] = mapped_column(AnyString(64))
    config: Mapped[str] = mapped_column(AnyText)
    report: Mapped[str | None] = mapped_column(AnyText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PromotionRow(Base):
    """One change of what is live in a slot; the last of a slot, by id, counts.

    A ``rollback`` took the last promotion that was not taken back yet away again.
    """

    __tablename__ = "promotions"
    __table_args__ = (Index("ix_promotions_slot", "slot", "id"),)

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    slot: Mapped[str] = mapped_column(String(16))
    adapter_id: Mapped[str | None] = mapped_column(AnyString(32), ForeignKey("adapters.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(AnyText)
    rollback: Mapped[bool] = mapped_column(Boolean)

    def record(self, adapter: str | None) -> Promotion:
        """The row as the rest of the house sees it, with the adapter's name."""
        return Promotion(
            id=self.id,
            slot=cast(Slot, self.slot),
            adapter=adapter,
            at=self.at,
            reason=self.reason,
            rollback=self.rollback,
        )


class MessageLabelRow(Base):
    """What the live classifier of a purpose said of a message."""

    __tablename__ = "message_labels"
    __table_args__ = (Index("ix_message_labels_purpose", "purpose", "labelled_at", "label"),)

    message_id: Mapped[str] = mapped_column(
        AnyString(32), ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
    label: Mapped[str] = mapped_column(AnyText)
    confidence: Mapped[float] = mapped_column(Float)
    adapter: Mapped[str] = mapped_column(AnyString(64))
    labelled_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def record(self) -> MessageLabel:
        """The row as the rest of the house sees it."""
        return MessageLabel(
            purpose=cast(Purpose, self.purpose),
            label=self.label,
            confidence=self.confidence,
            adapter=self.adapter,
        )
