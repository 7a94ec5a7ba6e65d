"""Collections: the knowledge bases, each with a revision that every change raises."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chatapp.errors import InvalidRequest, NotFound
from chatapp.knowledge_records import Collection
from chatapp.store.columns import harmless, new_id, now
from chatapp.store.database import Database
from chatapp.store.knowledge_tables import CollectionRow, DocumentRow, FaqRow

LONGEST_NAME = 64
"""Characters."""

_NAME = re.compile(r"\w[\w-]*")
_GONE = "There is no such collection. It may have been deleted."


class Collections:
    """Every knowledge base that is not deleted."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, name: str) -> Collection:
        """The collection of that name, in any case.

        Raises:
            NotFound: there is none; the sentence names those there are.
        """
        found = self.find(name)
        if found is None:
            known = ", ".join(one.name for one in self.list()) or "none"
            raise NotFound(f"There is no collection {name!r}. Known: {known}.")
        return found

    def find(self, name: str) -> Collection | None:
        """The same, or None."""
        query = _counted().where(CollectionRow.name == harmless(name).strip().lower())
        return next(iter(self._read(query)), None)

    def by_id(self, id: str) -> Collection:  # noqa: A002
        """The collection with that id.

        Raises:
            NotFound: there is none.
        """
        found = self._read(_counted().where(CollectionRow.id == id))
        if not found:
            raise NotFound(_GONE)
        return found[0]

    def list(self) -> builtins.list[Collection]:
        """All of them, oldest first."""
        return self._read(_counted().order_by(CollectionRow.id))

    def create(self, name: str) -> Collection:
        """A new, empty collection; its name is kept in lower case.

        Raises:
            InvalidRequest: a name that is empty, too long, not made of letters, digits, ``-``
                and ``_``, or taken.
        """
        checked = _checked(name)
        row = CollectionRow(id=new_id(), name=checked, revision=0, faq_revision=0, created_at=now())
        with self._db.write() as session:
            session.add(row)
            _flush_name(session, checked)
        return Collection(id=row.id, name=row.name, created_at=row.created_at)

    def ensure(self, name: str) -> Collection:
        """The collection of that name, made if it is missing."""
        try:
            return self.find(name) or self.create(name)
        except InvalidRequest:
            # Another process may have made it in between; any other reason says itself again.
            return self.find(name) or self.create(name)

    def rename(self, id: str, name: str) -> None:  # noqa: A002
        """Change the name. Raises as ``by_id`` and ``create`` do."""
        checked = _checked(name)
        with self._db.write() as session:
            _row(session, id).name = checked
            _flush_name(session, checked)

    def set_thresholds(
        self,
        id: str,  # noqa: A002
        threshold: float | None,
        faq_threshold: float | None,
    ) -> None:
        """What passages and FAQ matches have to reach, 0 to 1; None is the built-in value.

        Raises:
            NotFound: no such collection.
            InvalidRequest: a value that is not from 0 to 1.
        """
        for value in (threshold, faq_threshold):
            if value is not None and not 0 <= value <= 1:
                raise InvalidRequest(f"A threshold must be from 0 to 1, but this one is {value}.")
        with self._db.write() as session:
            row = _row(session, id)
            row.threshold, row.faq_threshold = threshold, faq_threshold

    def delete(self, id: str) -> None:  # noqa: A002
        """Hide a collection until it is restored or purged."""
        with self._db.write() as session:
            _row(session, id).deleted_at = now()

    def restore(self, id: str) -> None:  # noqa: A002
        """Undo ``delete``.

        Raises:
            NotFound: no such deleted collection.
            InvalidRequest: another collection has its name now.
        """
        with self._db.write() as session:
            row = _row(session, id, deleted=True)
            row.deleted_at = None
            _flush_name(session, row.name)

    def purge(self, older_than: timedelta) -> int:
        """Remove for good what was deleted longer ago than this; returns how many."""
        stale = CollectionRow.deleted_at < now() - older_than
        with self._db.write() as session:
            gone = session.scalar(select(func.count()).where(stale)) or 0
            session.execute(delete(CollectionRow).where(stale))
            return gone

    def _read(self, query: Select[CollectionRow, int, int, int]) -> builtins.list[Collection]:
        with self._db.read() as session:
            return [
                Collection(
                    id=row.id,
                    name=row.name,
                    created_at=row.created_at,
                    documents=documents,
                    passages=passages,
                    faq_entries=faq_entries,
                    threshold=row.threshold,
                    faq_threshold=row.faq_threshold,
                )
                for row, documents, passages, faq_entries in session.execute(query)
            ]


def raise_revision(session: Session, collection_id: str) -> int:
    """Count a change of a collection's passages; keeps other writers of it out until the end.

    Raises:
        NotFound: no such collection.
    """
    revision: int | None = session.scalar(
        update(CollectionRow)
        .where(CollectionRow.id == collection_id, CollectionRow.deleted_at.is_(None))
        .values(revision=CollectionRow.revision + 1)
        .returning(CollectionRow.revision)
    )
    if revision is None:
        raise NotFound(_GONE)
    return revision


def raise_revisions(session: Session, collection_ids: Iterable[str]) -> dict[str, int]:
    """The same for several, deleted ones too; in one order, so that no two writers block for
    good."""
    ids = sorted(set(collection_ids))
    for one in ids:
        session.execute(
            update(CollectionRow)
            .where(CollectionRow.id == one)
            .values(revision=CollectionRow.revision + 1)
        )
    query = select(CollectionRow.id, CollectionRow.revision).where(CollectionRow.id.in_(ids))
    return dict(session.execute(query).all())


def raise_faq_revision(session: Session, collection_id: str) -> None:
    """Count a change of a collection's FAQ entries.

    Raises:
        NotFound: no such collection.
    """
    raised = session.scalar(
        update(CollectionRow)
        .where(CollectionRow.id == collection_id, CollectionRow.deleted_at.is_(None))
        .values(faq_revision=CollectionRow.faq_revision + 1)
        .returning(CollectionRow.faq_revision)
    )
    if raised is None:
        raise NotFound(_GONE)


def _counted() -> Select[CollectionRow, int, int, int]:
    documents = select(func.count()).where(
        DocumentRow.collection_id == CollectionRow.id, DocumentRow.deleted_at.is_(None)
    )
    passages = select(func.coalesce(func.sum(DocumentRow.passages), 0)).where(
        DocumentRow.collection_id == CollectionRow.id, DocumentRow.deleted_at.is_(None)
    )
    faq_entries = select(func.count()).where(
        FaqRow.collection_id == CollectionRow.id, FaqRow.deleted_at.is_(None)
    )
    return select(
        CollectionRow,
        documents.scalar_subquery(),
        passages.scalar_subquery(),
        faq_entries.scalar_subquery(),
    ).where(CollectionRow.deleted_at.is_(None))


def _row(session: Session, id: str, *, deleted: bool = False) -> CollectionRow:  # noqa: A002
    row = session.get(CollectionRow, id)
    if row is None or (row.deleted_at is not None) != deleted:
        raise NotFound(_GONE)
    return row


def _flush_name(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise InvalidRequest(f"There is a collection {name!r} already.") from None


def _checked(name: str) -> str:
    checked = harmless(name).strip().lower()
    if not checked:
        raise InvalidRequest("A collection needs a name.")
    if len(checked) > LONGEST_NAME or not _NAME.fullmatch(checked):
        raise InvalidRequest(
            f"The name {checked[:LONGEST_NAME]!r} cannot be used: a collection's name has at most "
            f"{LONGEST_NAME} letters, digits, hyphens and underscores."
        )
    return checked
