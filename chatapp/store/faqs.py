"""FAQ entries: an approved answer, and the ways people ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, delete, func, or_, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from chatapp.errors import NotFound
from chatapp.knowledge_records import FaqEntry, ImportCount, NewFaq
from chatapp.store.collections import raise_faq_revision
from chatapp.store.columns import new_id, now, one_line
from chatapp.store.database import Database
from chatapp.store.faq_merging import fill_faq, merged
from chatapp.store.knowledge_tables import CollectionRow, FaqRow


class Faqs:
    """The FAQ entries of every collection."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def revision(self, collection_id: str) -> int:
        """How often a collection's entries changed; 0 for one that does not exist."""
        query = select(CollectionRow.faq_revision).where(CollectionRow.id == collection_id)
        with self._db.read() as session:
            return session.scalar(query) or 0

    def entries(self, collection_id: str, search: str = "") -> Sequence[FaqEntry]:
        """A collection's entries, oldest first.

        Args:
            collection_id: whose.
            search: keeps those with this text in a question, the answer or a tag, whatever its
                case.
        """
        query = _of(collection_id)
        if wanted := one_line(search).lower():
            query = query.where(
                or_(
                    *(
                        func.lower(type_coerce(column, Text)).contains(wanted, autoescape=True)
                        for column in (FaqRow.questions, FaqRow.answer, FaqRow.tags)
                    )
                )
            )
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query)]

    def get(self, id: str) -> FaqEntry:  # noqa: A002
        """One entry.

        Raises:
            NotFound: no such entry, or it is deleted.
        """
        with self._db.read() as session:
            return _row(session, id).record()

    def add(
        self,
        collection_id: str,
        questions: Sequence[str],
        answer: str,
        language: str = "",
        tags: Sequence[str] = (),
    ) -> FaqEntry:
        """A new entry.

        Raises:
            NotFound: no such collection.
            InvalidRequest: no question, or no answer.
        """
        row = FaqRow(id=new_id(), collection_id=collection_id)
        with self._db.write() as session:
            raise_faq_revision(session, collection_id)
            fill_faq(row, questions, answer, language, tags)
            session.add(row)
            session.flush()
            return row.record()

    def update(
        self,
        id: str,  # noqa: A002
        questions: Sequence[str],
        answer: str,
        language: str,
        tags: Sequence[str],
    ) -> FaqEntry:
        """Change all of an entry.

        Raises:
            NotFound: no such entry, or it is deleted.
            InvalidRequest: no question, or no answer.
        """
        with self._db.write() as session:
            row = _row(session, id)
            raise_faq_revision(session, row.collection_id)
            fill_faq(row, questions, answer, language, tags)
            return row.record()

    def delete(self, ids: Sequence[str]) -> None:
        """Hide entries until they are restored or purged."""
        self._set_deleted(ids, deleted=True)

    def restore(self, ids: Sequence[str]) -> None:
        """Undo ``delete``."""
        self._set_deleted(ids, deleted=False)

    def purge(self, older_than: timedelta) -> int:
        """Remove for good what was deleted longer ago than this; returns how many."""
        stale = FaqRow.deleted_at < now() - older_than
        with self._db.write() as session:
            gone = session.scalar(select(func.count()).where(stale)) or 0
            session.execute(delete(FaqRow).where(stale))
            return gone

    def import_rows(self, collection_id: str, rows: Sequence[NewFaq]) -> ImportCount:
        """Take in a table of questions: all of it, or nothing.

        Rows with the same answer in the same language are variants of one entry, also of one
        that is there already. In one language a question of the table has one answer: it leaves
        the entry it belonged to, and of two rows that disagree the later counts. So a corrected
        table can be taken in again, and the same table once more changes nothing.

        Raises:
            NotFound: no such collection.
            InvalidRequest: a row without a question or an answer.
        """
        with self._db.write() as session:
            raise_faq_revision(session, collection_id)
            entries = session.scalars(_of(collection_id)).all()
            drafts, count = merged(entries, rows)
            for draft in drafts:
                if draft.row is None:
                    row = FaqRow(id=new_id(), collection_id=collection_id)
                    session.add(row)
                    draft.fill(row)
                elif draft.changed(draft.row):
                    draft.fill(draft.row)
            return count

    def _set_deleted(self, ids: Sequence[str], *, deleted: bool) -> None:
        query = select(FaqRow).where(
            FaqRow.id.in_(ids),
            FaqRow.deleted_at.is_(None) if deleted else FaqRow.deleted_at.is_not(None),
        )
        with self._db.write() as session:
            rows = session.scalars(query).all()
            for collection_id in sorted({row.collection_id for row in rows}):
                raise_faq_revision(session, collection_id)
            for row in rows:
                row.deleted_at = now() if deleted else None


def _of(collection_id: str) -> Select[FaqRow]:
    return (
        select(FaqRow)
        .where(FaqRow.collection_id == collection_id, FaqRow.deleted_at.is_(None))
        .order_by(FaqRow.id)
    )


def _row(session: Session, id: str) -> FaqRow:  # noqa: A002
    row = session.get(FaqRow, id)
    if row is None or row.deleted_at is not None:
        raise NotFound("There is no such FAQ entry. It may have been deleted.")
    return row
