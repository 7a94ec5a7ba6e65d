"""Passages: what search reads. Written by ``Documents``, and followed by indexes by revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Select, and_, delete, exists, insert, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from chatapp.knowledge_records import Passage, PassageBatch, PassageIds, Vectors
from chatapp.store.collections import raise_revisions
from chatapp.store.columns import as_tags
from chatapp.store.database import Database
from chatapp.store.knowledge_tables import (
    CollectionRow,
    DocumentRow,
    EmbedderRow,
    PassageRow,
    RemovedPassageRow,
    VectorRow,
)
from chatapp.store.vectors import CHUNK, packed, unpacked

_OF_DOCUMENT = PassageRow.document_id == DocumentRow.id
_THERE = and_(_OF_DOCUMENT, DocumentRow.deleted_at.is_(None))
_PASSAGE = select(
    PassageRow.id,
    PassageRow.document_id,
    DocumentRow.name,
    DocumentRow.title,
    DocumentRow.kind,
    PassageRow.position,
    PassageRow.text,
    PassageRow.heading,
    PassageRow.page,
    PassageRow.start,
    PassageRow.end,
    PassageRow.language,
).join(DocumentRow, _THERE)


class Passages:
    """The passages of documents that are not deleted, and their vectors."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def revision(self, collection_id: str) -> int:
        """How often the passages of a collection changed; 0 for one that does not exist."""
        query = select(CollectionRow.revision).where(CollectionRow.id == collection_id)
        with self._db.read() as session:
            return session.scalar(query) or 0

    def removed_since(self, collection_id: str, revision: int) -> Sequence[int]:
        """Ids of the passages that were removed after that revision."""
        query = select(RemovedPassageRow.passage_id).where(
            RemovedPassageRow.collection_id == collection_id,
            RemovedPassageRow.revision > revision,
        )
        with self._db.read() as session:
            return session.scalars(query).all()

    def added_since(
        self, collection_id: str, embedder: str, revision: int
    ) -> Iterator[PassageBatch]:
        """Passages that exist, with vectors of this embedder that came after that revision.

        By id, a few thousand at a time. Each batch is a transaction of its own: a passage that
        is removed in between is left out, and its removal has a revision of its own.
        """
        ids = (
            select(VectorRow.passage_id)
            .join(EmbedderRow)
            .where(
                VectorRow.collection_id == collection_id,
                VectorRow.revision > revision,
                EmbedderRow.name == embedder,
            )
        )
        with self._db.read() as session:
            wanted = sorted(session.scalars(ids))
        query = (
            _PASSAGE.add_columns(VectorRow.vector)
            .join(VectorRow, VectorRow.passage_id == PassageRow.id)
            .join(EmbedderRow)
            .where(EmbedderRow.name == embedder)
            .order_by(PassageRow.id)
        )
        for start in range(0, len(wanted), CHUNK):
            some = PassageRow.id.in_(wanted[start : start + CHUNK])
            with self._db.read() as session:
                rows = session.execute(query.where(some)).all()
            if rows:
                passages = tuple(_passage(row[:-1]) for row in rows)
                yield PassageBatch(passages, unpacked([row[-1] for row in rows]))

    def fetch(self, ids: Sequence[int]) -> Mapping[int, Passage]:
        """Those of these passages that still exist."""
        found: dict[int, Passage] = {}
        with self._db.read() as session:
            for start in range(0, len(ids), CHUNK):
                some = PassageRow.id.in_(ids[start : start + CHUNK])
                for row in session.execute(_PASSAGE.where(some)):
                    found[row[0]] = _passage(row)
        return found

    def select(
        self, collection_id: str, *, language: str | None = None, tag: str | None = None
    ) -> PassageIds:
        """Ids of the passages in that language and of documents with that tag, ascending."""
        query = (
            select(PassageRow.id)
            .join(DocumentRow, _THERE)
            .where(PassageRow.collection_id == collection_id)
            .order_by(PassageRow.id)
        )
        if language is not None:
            query = query.where(PassageRow.language == language)
        if tag is not None:
            line = "\n".join(("", *as_tags([tag]), ""))
            query = query.where(type_coerce(DocumentRow.tags, Text).contains(line, autoescape=True))
        with self._db.read() as session:
            return np.fromiter(session.scalars(query), np.int64)

    def without_vectors(self, embedder: str, limit: int) -> Sequence[Passage]:
        """Passages of every collection that this embedder has not read yet, oldest first."""
        read = exists().where(
            VectorRow.passage_id == PassageRow.id,
            VectorRow.embedder_id == EmbedderRow.id,
            EmbedderRow.name == embedder,
        )
        query = _PASSAGE.where(~read).order_by(PassageRow.id).limit(limit)
        return self._passages(query)

    def add_vectors(self, embedder: str, ids: Sequence[int], vectors: Vectors) -> None:
        """Keep vectors, one row for each id; ids that no longer exist are passed over.

        Raises the revision of the collections they belong to.
        """
        bytes_of = dict(zip(ids, packed(vectors), strict=True))
        where = select(PassageRow.id, PassageRow.collection_id).where(PassageRow.id.in_(ids))
        with self._db.write() as session:
            embedder_id = numbered(session, embedder)
            revisions = raise_revisions(
                session, session.scalars(where.with_only_columns(PassageRow.collection_id))
            )
            # Asked once more: until now another writer could remove some of them.
            there = session.execute(where).all()
            session.execute(
                delete(VectorRow).where(
                    VectorRow.embedder_id == embedder_id, VectorRow.passage_id.in_(ids)
                )
            )
            rows = [
                {
                    "passage_id": id_,
                    "embedder_id": embedder_id,
                    "collection_id": collection_id,
                    "revision": revisions[collection_id],
                    "vector": bytes_of[id_],
                }
                for id_, collection_id in there
            ]
            if rows:
                session.execute(insert(VectorRow), rows)

    def passages(self, document_id: str) -> Sequence[Passage]:
        """The passages of a document, in its order; none if it is deleted."""
        query = _PASSAGE.where(PassageRow.document_id == document_id)
        return self._passages(query.order_by(PassageRow.position))

    def _passages(self, query: Select[*tuple[Any, ...]]) -> Sequence[Passage]:
        with self._db.read() as session:
            return [_passage(row) for row in session.execute(query)]


def _passage(row: Sequence[Any]) -> Passage:
    return Passage(
        id=row[0],
        document_id=row[1],
        document=row[2],
        title=row[3],
        kind=row[4],
        position=row[5],
        text=row[6],
        heading=row[7],
        page=row[8],
        start=row[9],
        end=row[10],
        language=row[11],
    )


def numbered(session: Session, embedder: str) -> int:
    """The number of an embedder, given to it when it is new."""
    query = select(EmbedderRow.id).where(EmbedderRow.name == embedder)
    number = session.scalar(query)
    if number is None:
        row = EmbedderRow(name=embedder)
        session.add(row)
        session.flush()
        number = row.id
    return number
