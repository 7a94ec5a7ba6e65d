"""The rows of a document's text, passages and vectors, written many at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from chatapp.knowledge_records import NewDocument
from chatapp.store.knowledge_tables import (
    DocumentRow,
    DocumentTextRow,
    PassageIdsRow,
    PassageRow,
    RemovedPassageRow,
    VectorRow,
)
from chatapp.store.vectors import packed


def entomb(session: Session, rows: Sequence[DocumentRow], revision: int) -> None:
    """Let indexes know that the passages of these documents are gone."""
    for row in rows:
        session.execute(
            insert(RemovedPassageRow).from_select(
                ["collection_id", "revision", "passage_id"],
                select(PassageRow.collection_id, literal(revision), PassageRow.id).where(
                    PassageRow.document_id == row.id
                ),
            )
        )


def insert_texts(
    session: Session, rows: Sequence[DocumentRow], by_name: Mapping[str, NewDocument]
) -> None:
    """Store what was read of documents; they are found in ``by_name`` by their rows' names."""
    texts = []
    for row in rows:
        loaded = by_name[row.name].loaded
        headings = [[one.start, one.level, one.text] for one in loaded.headings]
        texts.append(
            {
                "document_id": row.id,
                "text": _same_length(loaded.text),
                "headings": json.dumps(headings, ensure_ascii=False),
                "page_starts": json.dumps(loaded.page_starts),
            }
        )
    if texts:
        session.execute(insert(DocumentTextRow), texts)


def insert_passages(
    session: Session,
    rows: Sequence[DocumentRow],
    by_name: Mapping[str, NewDocument],
    embedder_id: int,
    revision: int,
) -> None:
    """Store the passages of documents under new ids, and their vectors."""
    passages: list[dict[str, object]] = []
    vectors: list[dict[str, object]] = []
    free = free_ids(session, sum(row.passages for row in rows))
    for row in rows:
        new = by_name[row.name]
        pairs = zip(new.passages, packed(new.vectors), strict=True)
        for position, (passage, vector) in enumerate(pairs):
            id_ = free + len(passages)
            passages.append(
                {
                    "id": id_,
                    "document_id": row.id,
                    "collection_id": row.collection_id,
                    "position": position,
                    "text": _same_length(passage.text),
                    "heading": passage.heading,
                    "page": passage.page,
                    "start": passage.start,
                    "end": passage.end,
                    "language": passage.language,
                }
            )
            vectors.append(
                {
                    "passage_id": id_,
                    "embedder_id": embedder_id,
                    "collection_id": row.collection_id,
                    "revision": revision,
                    "vector": vector,
                }
            )
    if passages:
        session.execute(insert(PassageRow), passages)
        session.execute(insert(VectorRow), vectors)


def free_ids(session: Session, count: int) -> int:
    """The first of so many passage ids that nobody else gets."""
    free = session.scalars(
        update(PassageIdsRow).values(free=PassageIdsRow.free + count).returning(PassageIdsRow.free)
    ).one()
    return free - count


def _same_length(text: str) -> str:
    """NUL, which PostgreSQL refuses, as a space: passages are found by their place in the text."""
    return text.replace("\x00", " ")
