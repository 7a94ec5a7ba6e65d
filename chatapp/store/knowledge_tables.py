"""The tables of knowledge, as the code of this room sees them. A change here needs a migration."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Float, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from chatapp.knowledge_records import (
    Document,
    FaqEntry,
    FileStatus,
    IngestFile,
    Unanswered,
)
from chatapp.store.columns import AnyString, AnyText, BigNumber, Lines, UtcDateTime
from chatapp.store.tables import Base

_THERE = text("deleted_at IS NULL")


def _collection_id() -> Mapped[str]:
    return mapped_column(AnyString(32), ForeignKey("collections.id", ondelete="CASCADE"))


class CollectionRow(Base):
    """One knowledge base.

    ``revision`` counts the changes of its passages, ``faq_revision`` those of its FAQ entries.
    Both are raised first in a transaction that changes something: this locks the row, so that
    revisions and passage ids become visible in their order.
    """

    __tablename__ = "collections"
    __table_args__ = (
        Index(
            "ux_collections_name",
            "name",
            unique=True,
            sqlite_where=_THERE,
            postgresql_where=_THERE,
        ),
    )

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    name: Mapped[str] = mapped_column(AnyString(64))
    threshold: Mapped[float | None] = mapped_column(Float)
    faq_threshold: Mapped[float | None] = mapped_column(Float)
    revision: Mapped[int] = mapped_column(Integer)
    faq_revision: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DocumentRow(Base):
    """A document; ``passages`` is how many it has."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ux_documents_name", "collection_id", "name", unique=True),
        # Counts a collection's documents and passages without reading a row.
        Index("ix_documents_there", "collection_id", "deleted_at", "passages"),
    )

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    collection_id: Mapped[str] = _collection_id()
    name: Mapped[str] = mapped_column(AnyText)
    title: Mapped[str] = mapped_column(AnyText)
    kind: Mapped[str] = mapped_column(String(16))
    size: Mapped[int] = mapped_column(BigNumber)
    content_hash: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(AnyString(16))
    tags: Mapped[tuple[str, ...]] = mapped_column(Lines)
    pages: Mapped[int | None] = mapped_column(Integer)
    passages: Mapped[int] = mapped_column(Integer)
    file: Mapped[str | None] = mapped_column(AnyText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def record(self) -> Document:
        """The row as the rest of the house sees it."""
        return Document(
            id=self.id,
            collection_id=self.collection_id,
            name=self.name,
            title=self.title,
            kind=self.kind,
            size=self.size,
            content_hash=self.content_hash,
            language=self.language,
            tags=self.tags,
            pages=self.pages,
            passages=self.passages,
            file=self.file,
            created_at=self.created_at,
            last_used_at=self.last_used_at,
            deleted_at=self.deleted_at,
        )


class DocumentTextRow(Base):
    """What was read of a document; apart, as lists of documents do without.

    ``headings`` is JSON: [[start, level, text], …]; ``page_starts`` too: [0, …].
    """

    __tablename__ = "document_texts"

    document_id: Mapped[str] = mapped_column(
        AnyString(32), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(AnyText)
    headings: Mapped[str] = mapped_column(AnyText)
    page_starts: Mapped[str] = mapped_column(AnyText)


class PassageRow(Base):
    """A passage. Its id is taken from ``passage_ids``, by which none comes twice."""

    __tablename__ = "passages"
    __table_args__ = (
        Index("ix_passages_document", "document_id"),
        Index("ix_passages_collection", "collection_id"),
    )

    id: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    document_id: Mapped[str] = mapped_column(
        AnyString(32), ForeignKey("documents.id", ondelete="CASCADE")
    )
    collection_id: Mapped[str] = mapped_column(AnyString(32))
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(AnyText)
    heading: Mapped[tuple[str, ...]] = mapped_column(Lines)
    page: Mapped[int | None] = mapped_column(Integer)
    start: Mapped[int] = mapped_column(Integer)
    end: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(AnyString(16))


class PassageIdsRow(Base):
    """The single row with the next free passage id."""

    __tablename__ = "passage_ids"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    free: Mapped[int] = mapped_column(BigNumber)


class RemovedPassageRow(Base):
    """A passage that is gone since ``revision``: an index that is older forgets it."""

    __tablename__ = "removed_passages"

    collection_id: Mapped[str] = mapped_column(
        AnyString(32), ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True
    )
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    passage_id: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)


class EmbedderRow(Base):
    """The name of an embedder, which vectors give by number."""

    __tablename__ = "embedders"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(AnyString(255), unique=True)


class VectorRow(Base):
    """A passage as an embedder sees it, since ``revision``; little-endian float16."""

    __tablename__ = "passage_vectors"
    __table_args__ = (
        Index("ix_passage_vectors_revision", "collection_id", "embedder_id", "revision"),
    )

    passage_id: Mapped[int] = mapped_column(
        BigNumber,
        ForeignKey("passages.id", ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    embedder_id: Mapped[int] = mapped_column(ForeignKey("embedders.id"), primary_key=True)
    collection_id: Mapped[str] = mapped_column(AnyString(32))
    revision: Mapped[int] = mapped_column(Integer)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class VectorTextRow(Base):
    """A short text as an embedder sees it, under a digest of both; little-endian float32."""

    __tablename__ = "text_vectors"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class FaqRow(Base):
    """An approved answer with the questions it belongs to."""

    __tablename__ = "faq_entries"
    __table_args__ = (Index("ix_faq_entries_there", "collection_id", "deleted_at"),)

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    collection_id: Mapped[str] = _collection_id()
    questions: Mapped[tuple[str, ...]] = mapped_column(Lines)
    answer: Mapped[str] = mapped_column(AnyText)
    language: Mapped[str] = mapped_column(AnyString(16))
    tags: Mapped[tuple[str, ...]] = mapped_column(Lines)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def record(self) -> FaqEntry:
        """The row as the rest of the house sees it."""
        return FaqEntry(
            id=self.id,
            collection_id=self.collection_id,
            questions=self.questions,
            answer=self.answer,
            language=self.language,
            tags=self.tags,
            updated_at=self.updated_at,
        )


class UnansweredRow(Base):
    """A question that was refused."""

    __tablename__ = "unanswered_questions"
    __table_args__ = (Index("ix_unanswered_questions_collection", "collection_id", "id"),)

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    collection_id: Mapped[str] = _collection_id()
    question: Mapped[str] = mapped_column(AnyText)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(AnyText, default="")

    def record(self) -> Unanswered:
        """The row as the rest of the house sees it."""
        return Unanswered(
            id=self.id,
            collection_id=self.collection_id,
            question=self.question,
            asked_at=self.asked_at,
            vector=self.vector,
            note=self.note,
        )


class IngestFileRow(Base):
    """A file on its way in; ``server`` is the one whose data folder holds it."""

    __tablename__ = "ingest_files"
    __table_args__ = (
        Index("ix_ingest_files_status", "status"),
        Index("ix_ingest_files_batch", "batch_id"),
        Index("ix_ingest_files_collection", "collection_id"),
    )

    id: Mapped[str] = mapped_column(AnyString(32), primary_key=True)
    collection_id: Mapped[str] = _collection_id()
    batch_id: Mapped[str] = mapped_column(AnyString(32))
    server: Mapped[str] = mapped_column(AnyText)
    name: Mapped[str] = mapped_column(AnyText)
    file: Mapped[str] = mapped_column(AnyText)
    size: Mapped[int] = mapped_column(BigNumber)
    tags: Mapped[tuple[str, ...]] = mapped_column(Lines)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(AnyText)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    passages: Mapped[int] = mapped_column(Integer)
    step: Mapped[str] = mapped_column(String(16))
    done: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)

    def record(self) -> IngestFile:
        """The row as the rest of the house sees it."""
        return IngestFile(
            id=self.id,
            collection_id=self.collection_id,
            batch_id=self.batch_id,
            name=self.name,
            file=self.file,
            size=self.size,
            status=cast(FileStatus, self.status),
            added_at=self.added_at,
            tags=self.tags,
            reason=self.reason,
            passages=self.passages,
            step=self.step,
            done=self.done,
            total=self.total,
        )
