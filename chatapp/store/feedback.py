"""What people say about answers: given, changed, taken back, and decided on."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import get_args

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chatapp.errors import InvalidRequest, NotFound
from chatapp.feedback_records import (
    DECISIONS,
    NewRemark,
    Outcome,
    Reason,
    Remark,
    RemarkStatus,
)
from chatapp.store.columns import new_id, now, one_line
from chatapp.store.database import Database
from chatapp.store.feedback_tables import RemarkRow
from chatapp.store.outcomes import pack_outcome


class Remarks:
    """The remarks on every answer, one an answer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def give(self, new: NewRemark) -> Remark:
        """Keep a remark, in place of an earlier one on the same message.

        Raises:
            InvalidRequest: the earlier one was reviewed already.
        """
        with self._db.write() as session:
            row = _on(session, new.message_id)
            if row is None:
                row = RemarkRow(id=new_id(), message_id=new.message_id)
                session.add(row)
            elif row.status in DECISIONS:
                raise InvalidRequest(
                    "The team has already reviewed your feedback on this answer. Thank you."
                )
            row.fill(new)
            row.status, row.at = "open", now()
            session.flush()
            return row.record()

    def withdraw(self, owner: str, message_id: str) -> None:
        """Take an open remark back. It is kept, should its giver want to go on with it.

        Raises:
            NotFound: this owner gave none on that message.
            InvalidRequest: it was reviewed already.
        """
        with self._db.write() as session:
            row = _on(session, message_id)
            if row is None or row.owner != owner:
                raise NotFound("There is no feedback on this answer.")
            if row.status in DECISIONS:
                raise InvalidRequest("The team has already reviewed this feedback.")
            row.status = "withdrawn"

    def of_conversation(self, owner: str, conversation_id: str) -> Mapping[str, Remark]:
        """An owner's remarks on the messages of a conversation, by message id."""
        query = select(RemarkRow).where(
            RemarkRow.conversation_id == conversation_id, RemarkRow.owner == owner
        )
        with self._db.read() as session:
            return {row.message_id: row.record() for row in session.scalars(query)}

    def get(self, id: str) -> Remark:  # noqa: A002
        """One remark.

        Raises:
            NotFound: no such remark.
        """
        with self._db.read() as session:
            return _row(session, id).record()

    def list(
        self,
        status: RemarkStatus | None = "open",
        reason: Reason | None = None,
        search: str = "",
        limit: int = 100,
    ) -> builtins.list[Remark]:
        """Remarks, newest first, but for those that were withdrawn.

        Args:
            status: only these; None is all.
            reason: only these; None is all.
            search: keeps those with this text in the question, the answer, the comment or the
                suggestion, whatever its case.
            limit: most that are returned.
        """
        query = select(RemarkRow).where(RemarkRow.status != "withdrawn")
        if status is not None:
            query = query.where(RemarkRow.status == status)
        if reason is not None:
            query = query.where(RemarkRow.reason == reason)
        if wanted := one_line(search).lower():
            columns = (RemarkRow.question, RemarkRow.answer, RemarkRow.comment, RemarkRow.better)
            query = query.where(
                or_(*(func.lower(one).contains(wanted, autoescape=True) for one in columns))
            )
        query = query.order_by(RemarkRow.at.desc(), RemarkRow.id.desc()).limit(limit)
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query)]

    def counts(self) -> Mapping[RemarkStatus, int]:
        """How many there are of each status; one without any is 0."""
        query = select(RemarkRow.status, func.count()).group_by(RemarkRow.status)
        with self._db.read() as session:
            found: dict[str, int] = dict(session.execute(query).all())
        return {status: found.get(status, 0) for status in get_args(RemarkStatus)}

    def decide(self, id: str, status: RemarkStatus) -> Remark:  # noqa: A002
        """Close an open remark. Of two who do so at once, one is refused.

        Raises:
            NotFound: no such remark.
            InvalidRequest: it is not open.
        """
        with self._db.write() as session:
            row = _row(session, id, lock=True)
            if row.status != "open":
                raise InvalidRequest(
                    "This feedback is not open any more: it was reviewed or taken back meanwhile. "
                    "Reload the page to see it."
                )
            row.status, row.decided_at = status, now()
            return row.record()

    def made(self, id: str, outcome: Outcome) -> None:  # noqa: A002
        """Keep what a decision made."""
        with self._db.write() as session:
            _row(session, id).outcome = pack_outcome(outcome)

    def reopen(self, id: str) -> None:  # noqa: A002
        """Undo ``decide``."""
        with self._db.write() as session:
            row = _row(session, id)
            row.status, row.decided_at, row.outcome = "open", None, None


def _on(session: Session, message_id: str) -> RemarkRow | None:
    query = select(RemarkRow).where(RemarkRow.message_id == message_id).with_for_update()
    return session.scalars(query).one_or_none()


def _row(session: Session, id: str, *, lock: bool = False) -> RemarkRow:  # noqa: A002
    row = session.get(RemarkRow, id, with_for_update=lock)
    if row is None:
        raise NotFound("There is no such feedback. Reload the page.")
    return row
