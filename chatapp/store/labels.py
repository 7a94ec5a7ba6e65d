"""What the live classifiers said of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import func, select

from chatapp.store.columns import now
from chatapp.store.database import Database
from chatapp.store.tables import MessageRow
from chatapp.store.training_tables import MessageLabelRow
from chatapp.training_records import MessageLabel, Purpose


class MessageLabels:
    """The labels of every message."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, message_id: str, labels: Sequence[MessageLabel]) -> None:
        """Keep a message's labels; a later one replaces an earlier one of its purpose.

        A message that was deleted meanwhile gets none.
        """
        with self._db.write() as session:
            there = select(MessageRow.id).where(MessageRow.id == message_id).with_for_update()
            if session.scalar(there) is None:
                return
            for label in labels:
                session.merge(
                    MessageLabelRow(
                        message_id=message_id,
                        purpose=label.purpose,
                        label=label.label,
                        confidence=label.confidence,
                        adapter=label.adapter,
                        labelled_at=now(),
                    )
                )

    def of_conversation(self, conversation_id: str) -> Mapping[str, Sequence[MessageLabel]]:
        """The labels of a conversation's messages, by message id, in the order of purposes."""
        query = (
            select(MessageLabelRow)
            .join(MessageRow, MessageRow.id == MessageLabelRow.message_id)
            .where(MessageRow.conversation_id == conversation_id)
            .order_by(MessageLabelRow.message_id, MessageLabelRow.purpose)
        )
        found: dict[str, list[MessageLabel]] = {}
        with self._db.read() as session:
            for row in session.scalars(query):
                found.setdefault(row.message_id, []).append(row.record())
        return found

    def counts(
        self, purpose: Purpose, days: int = 30, most: int = 100
    ) -> Sequence[tuple[str, int]]:
        """How many messages of the last ``days`` got each label, most first."""
        since = now() - timedelta(days=days)
        how_often = func.count()
        query = (
            select(MessageLabelRow.label, how_often)
            .where(MessageLabelRow.purpose == purpose, MessageLabelRow.labelled_at >= since)
            .group_by(MessageLabelRow.label)
            .order_by(how_often.desc(), MessageLabelRow.label)
            .limit(most)
        )
        with self._db.read() as session:
            return [(label, count) for label, count in session.execute(query)]
