"""Documents: replaced as a whole, deleted with a way back."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import (
    ColumnElement,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from chatapp.errors import DocumentError, NotFound
from chatapp.knowledge_records import Document, Heading, LoadedDocument, NewDocument
from chatapp.store.collections import raise_revision, raise_revisions
from chatapp.store.columns import as_tags, harmless, new_id, now
from chatapp.store.document_rows import entomb, free_ids, insert_passages, insert_texts
from chatapp.store.knowledge_tables import DocumentRow, DocumentTextRow, PassageRow, VectorRow
from chatapp.store.passages import Passages, numbered

LONGEST_NAME = 500
"""Characters of a document's name; PostgreSQL's indexes take no more than about 2,600 bytes."""


class Documents(Passages):
    """The documents of every collection. Also the passages, as search follows them."""

    def list(
        self, collection_id: str, search: str = "", limit: int = 200, offset: int = 0
    ) -> builtins.list[Document]:
        """A collection's documents, newest first.

        Args:
            collection_id: whose.
            search: keeps those with this text in their name or title, whatever its case.
            limit: at most this many.
            offset: after passing over this many.
        """
        query = (
            select(DocumentRow)
            .where(DocumentRow.collection_id == collection_id, DocumentRow.deleted_at.is_(None))
            .order_by(DocumentRow.created_at.desc(), DocumentRow.id.desc())
            .limit(limit)
            .offset(offset)
        )
        if wanted := harmless(search).strip().lower():
            in_name = func.lower(DocumentRow.name).contains(wanted, autoescape=True)
            in_title = func.lower(DocumentRow.title).contains(wanted, autoescape=True)
            query = query.where(or_(in_name, in_title))
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query)]

    def get(self, id: str) -> Document:  # noqa: A002
        """One document.

        Raises:
            NotFound: no such document, or it is deleted.
        """
        with self._db.read() as session:
            return _row(session, id).record()

    def find(self, collection_id: str, name: str) -> Document | None:
        """The document of that name, or None."""
        return self.named(collection_id, [name]).get(harmless(name))

    def named(self, collection_id: str, names: Sequence[str]) -> dict[str, Document]:
        """Those of these names that exist, by name; some thousands at most."""
        query = select(DocumentRow).where(
            DocumentRow.collection_id == collection_id,
            DocumentRow.name.in_(names),
            DocumentRow.deleted_at.is_(None),
        )
        with self._db.read() as session:
            return {row.name: row.record() for row in session.scalars(query)}

    def text(self, id: str) -> LoadedDocument:  # noqa: A002
        """What was read of a document, but for ``blocks``, which only splitting needs.

        Raises:
            NotFound: no such document, or it is deleted.
        """
        with self._db.read() as session:
            row = _row(session, id)
            content = session.get_one(DocumentTextRow, id)
            return LoadedDocument(
                name=row.name,
                title=row.title,
                kind=row.kind,
                text=content.text,
                headings=tuple(
                    Heading(start=start, level=level, text=text)
                    for start, level, text in json.loads(content.headings)
                ),
                page_starts=tuple(json.loads(content.page_starts)),
                tags=row.tags,
            )

    def replace(
        self, collection_id: str, embedder: str, documents: Sequence[NewDocument]
    ) -> builtins.list[Document]:
        """Store documents, each in place of the one of its name: all of them, or none.

        A document keeps its id when its content changes; its passages get new ones. Of two with
        one name the later stays.

        Args:
            collection_id: where to.
            embedder: the name of what made the vectors.
            documents: some hundreds at most.

        Raises:
            NotFound: no such collection.
            DocumentError: a name that is too long.
        """
        by_name = {_checked_name(new.loaded.name): new for new in documents}
        with self._db.write() as session:
            revision = raise_revision(session, collection_id)
            old = _of_names(session, collection_id, by_name)
            entomb(session, [row for row in old.values() if row.deleted_at is None], revision)
            gone = [row.id for row in old.values()]
            session.execute(delete(PassageRow).where(PassageRow.document_id.in_(gone)))
            session.execute(delete(DocumentTextRow).where(DocumentTextRow.document_id.in_(gone)))
            rows = []
            for name, new in by_name.items():
                row = old.get(name) or DocumentRow(id=new_id(), collection_id=collection_id)
                _fill(row, name, new)
                rows.append(row)
            session.add_all(rows)
            session.flush()
            insert_texts(session, rows, by_name)
            insert_passages(session, rows, by_name, numbered(session, embedder), revision)
            return [row.record() for row in rows]

    def delete(self, ids: Sequence[str]) -> None:
        """Hide documents until they are restored or purged; search forgets them at once."""
        with self._db.write() as session:
            for row, revision in _claimed(session, ids, DocumentRow.deleted_at.is_(None)):
                entomb(session, [row], revision)
                row.deleted_at = now()

    def restore(self, ids: Sequence[str]) -> None:
        """Undo ``delete``. The passages come back under new ids, so that indexes notice."""
        with self._db.write() as session:
            for row, revision in _claimed(session, ids, DocumentRow.deleted_at.is_not(None)):
                row.deleted_at = None
                theirs = select(PassageRow.id).where(PassageRow.document_id == row.id)
                session.execute(
                    update(PassageRow)
                    .where(PassageRow.document_id == row.id)
                    .values(id=free_ids(session, row.passages) + PassageRow.position)
                )
                session.execute(
                    update(VectorRow)
                    .where(VectorRow.passage_id.in_(theirs))
                    .values(revision=revision)
                )

    def purge(self, older_than: timedelta) -> int:
        """Remove for good what was deleted longer ago than this; returns how many."""
        stale = DocumentRow.deleted_at < now() - older_than
        with self._db.write() as session:
            gone = session.scalar(select(func.count()).where(stale)) or 0
            session.execute(delete(DocumentRow).where(stale))
            return gone

    def used(self, ids: Sequence[str]) -> None:
        """Note that an answer leaned on these documents."""
        with self._db.write() as session:
            session.execute(
                update(DocumentRow).where(DocumentRow.id.in_(ids)).values(last_used_at=now())
            )

    def kept_files(self) -> set[str]:
        """Names of the originals that documents refer to, deleted ones too."""
        query = select(DocumentRow.file).where(DocumentRow.file.is_not(None)).distinct()
        with self._db.read() as session:
            return {file for file in session.scalars(query) if file is not None}


def _row(session: Session, id: str) -> DocumentRow:  # noqa: A002
    row = session.get(DocumentRow, id)
    if row is None or row.deleted_at is not None:
        raise NotFound("There is no such document. It may have been deleted.")
    return row


def _of_names(session: Session, collection_id: str, names: Iterable[str]) -> dict[str, DocumentRow]:
    """The rows of these names, deleted ones too."""
    query = select(DocumentRow).where(
        DocumentRow.collection_id == collection_id, DocumentRow.name.in_(list(names))
    )
    return {row.name: row for row in session.scalars(query)}


def _claimed(
    session: Session, ids: Sequence[str], state: ColumnElement[bool]
) -> builtins.list[tuple[DocumentRow, int]]:
    """Those of these documents that are in that state, with the new revision of their collection.

    Read again once the collections are locked: another writer may have changed them.
    """
    query = select(DocumentRow).where(DocumentRow.id.in_(ids), state)
    found = session.scalars(query.with_only_columns(DocumentRow.collection_id)).all()
    revisions = raise_revisions(session, found)
    return [(row, revisions[row.collection_id]) for row in session.scalars(query).all()]


def _fill(row: DocumentRow, name: str, new: NewDocument) -> None:
    row.name, row.title, row.kind = name, new.loaded.title, new.loaded.kind
    row.size, row.content_hash, row.file = new.size, new.content_hash, new.file
    row.language = new.language
    row.tags = as_tags(new.loaded.tags)
    row.pages = len(new.loaded.page_starts) or None
    row.passages = len(new.passages)
    row.created_at, row.deleted_at = now(), None


def _checked_name(name: str) -> str:
    checked = harmless(name)
    if not checked or len(checked) > LONGEST_NAME:
        raise DocumentError(
            f"The document {checked[:80]!r} cannot be stored: its name must have 1 to "
            f"{LONGEST_NAME} characters, but has {len(checked):,}. Rename it."
        )
    return checked
