"""Blind votes on pairs of answers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from chatapp.feedback_records import NewVote, Vote
from chatapp.store.columns import new_id, now
from chatapp.store.database import Database
from chatapp.store.feedback_tables import VoteRow

Counted = tuple[str | None, str | None, str, int]
"""The first adapter, the second, the verdict, and how often it was given."""


class Votes:
    """Every vote."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, new: NewVote) -> Vote:
        """Keep a vote."""
        row = VoteRow.of(new, new_id(), now())
        with self._db.write() as session:
            session.add(row)
            session.flush()
            return row.record()

    def remove(self, id: str) -> None:  # noqa: A002
        """Take a vote back; one that is gone already is no mistake."""
        with self._db.write() as session:
            row = session.get(VoteRow, id)
            if row is not None:
                session.delete(row)

    def list(self, limit: int = 100) -> Sequence[Vote]:
        """The newest votes."""
        query = select(VoteRow).order_by(VoteRow.id.desc()).limit(limit)
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query)]

    def counts(self) -> Sequence[Counted]:
        """How often each verdict was given on each pair, as the pairs were asked for."""
        columns = (VoteRow.first_adapter, VoteRow.second_adapter, VoteRow.verdict)
        query = select(*columns, func.count()).group_by(*columns)
        with self._db.read() as session:
            return [
                (first, second, verdict, count)
                for first, second, verdict, count in session.execute(query)
            ]
