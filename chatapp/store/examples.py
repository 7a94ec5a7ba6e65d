"""Approved examples: questions with the answers that are to be learned."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from chatapp.errors import InvalidRequest, NotFound
from chatapp.feedback_records import Correction
from chatapp.store.columns import harmless, new_id, now, one_line
from chatapp.store.database import Database
from chatapp.store.feedback_tables import ExampleRow


class Corrections:
    """The approved examples; each question is there once."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self, search: str = "") -> builtins.list[Correction]:
        """All of them, newest first.

        Args:
            search: keeps those with this text in the question or the answer, whatever its case.
        """
        query = select(ExampleRow).where(ExampleRow.deleted_at.is_(None))
        if wanted := one_line(search).lower():
            columns = (ExampleRow.question, ExampleRow.answer)
            query = query.where(
                or_(*(func.lower(one).contains(wanted, autoescape=True) for one in columns))
            )
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query.order_by(ExampleRow.id.desc()))]

    def put(
        self, question: str, answer: str, key: str, remark_id: str
    ) -> tuple[Correction, Correction | None]:
        """Add an example. One with the same question takes this answer instead.

        Returns:
            The example, and how it was before; None for a new one.

        Raises:
            InvalidRequest: no question, or no answer.
        """
        with self._db.write() as session:
            row = _with_key(session, key)
            before = row.record() if row else None
            if row is None:
                row = ExampleRow(
                    id=new_id(), key=key, remark_id=remark_id, created_at=now(), deleted_at=None
                )
                session.add(row)
            _fill(row, question, answer)
            session.flush()
            return row.record(), before

    def edit(self, id: str, question: str, answer: str, key: str) -> Correction:  # noqa: A002
        """Change an example.

        Raises:
            NotFound: no such example.
            InvalidRequest: no question, no answer, or another example asks the same.
        """
        with self._db.write() as session:
            row = _row(session, id)
            _refuse_double(_with_key(session, key), id)
            row.key = key
            _fill(row, question, answer)
            return row.record()

    def delete(self, ids: Sequence[str]) -> None:
        """Hide examples until they are restored or purged."""
        with self._db.write() as session:
            for id_ in ids:
                row = session.get(ExampleRow, id_)
                if row is not None:
                    row.deleted_at = row.deleted_at or now()

    def restore(self, ids: Sequence[str]) -> None:
        """Undo ``delete``.

        Raises:
            InvalidRequest: another example asks the same meanwhile.
        """
        with self._db.write() as session:
            for id_ in ids:
                row = session.get(ExampleRow, id_)
                if row is not None and row.deleted_at is not None:
                    _refuse_double(_with_key(session, row.key), id_)
                    row.deleted_at = None
                    session.flush()

    def purge(self, older_than: timedelta) -> int:
        """Remove for good what was deleted longer ago than this; returns how many."""
        stale = ExampleRow.deleted_at < now() - older_than
        with self._db.write() as session:
            gone = session.scalar(select(func.count()).where(stale)) or 0
            session.execute(delete(ExampleRow).where(stale))
            return gone


def _fill(row: ExampleRow, question: str, answer: str) -> None:
    question, answer = harmless(question).strip(), harmless(answer).strip()
    if not question or not answer:
        raise InvalidRequest("An example needs a question and an answer. Write both.")
    row.question, row.answer, row.updated_at = question, answer, now()


def _with_key(session: Session, key: str) -> ExampleRow | None:
    query = select(ExampleRow).where(ExampleRow.key == key, ExampleRow.deleted_at.is_(None))
    return session.scalars(query.with_for_update()).one_or_none()


def _refuse_double(other: ExampleRow | None, id: str) -> None:  # noqa: A002
    if other is not None and other.id != id:
        raise InvalidRequest(
            f"Another example asks the same: “{other.question[:80]}”. Change that one instead."
        )


def _row(session: Session, id: str) -> ExampleRow:  # noqa: A002
    row = session.get(ExampleRow, id)
    if row is None or row.deleted_at is not None:
        raise NotFound("There is no such example. It may have been deleted.")
    return row
