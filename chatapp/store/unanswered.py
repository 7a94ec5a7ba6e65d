"""Questions that were refused, for the team to look through."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from sqlalchemy import delete, select

from chatapp.knowledge_records import Unanswered
from chatapp.store.columns import new_id, now
from chatapp.store.database import Database
from chatapp.store.knowledge_tables import UnansweredRow

MOST_KEPT = 10_000
"""Questions of a collection; the oldest go first. Anybody can ask, so there must be an end."""


class UnansweredQuestions:
    """The refused questions of every collection."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self, collection_id: str, question: str, vector: bytes | None = None, note: str = ""
    ) -> Unanswered:
        """Keep a question, what it looked like to an embedder, and a reviewer's note on it."""
        row = UnansweredRow(
            id=new_id(),
            collection_id=collection_id,
            question=question,
            asked_at=now(),
            vector=vector,
            note=note,
        )
        theirs = UnansweredRow.collection_id == collection_id
        first_too_old = (
            select(UnansweredRow.id)
            .where(theirs)
            .order_by(UnansweredRow.id.desc())
            .offset(MOST_KEPT)
            .limit(1)
        )
        with self._db.write() as session:
            session.add(row)
            session.flush()
            session.execute(
                delete(UnansweredRow).where(
                    theirs, UnansweredRow.id <= first_too_old.scalar_subquery()
                )
            )
            return row.record()

    def list(self, collection_id: str, limit: int = 500) -> builtins.list[Unanswered]:
        """A collection's questions, newest first."""
        query = (
            select(UnansweredRow)
            .where(UnansweredRow.collection_id == collection_id)
            .order_by(UnansweredRow.id.desc())
            .limit(limit)
        )
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query)]

    def dismiss(self, ids: Sequence[str]) -> None:
        """Remove questions for good."""
        with self._db.write() as session:
            session.execute(delete(UnansweredRow).where(UnansweredRow.id.in_(ids)))
