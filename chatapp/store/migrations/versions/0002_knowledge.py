"""Collections, their documents and FAQ entries, and what an answer leaned on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Go one step forward."""
    op.add_column("messages", sa.Column("grounding", sa.Text))
    _make_collections()
    _make_documents()
    _make_passages()
    _make_vectors()
    _make_questions()
    _make_ingest_files()


def downgrade() -> None:
    """Go one step back."""
    for table in (
        "ingest_files",
        "unanswered_questions",
        "faq_entries",
        "text_vectors",
        "passage_vectors",
        "embedders",
        "removed_passages",
        "passage_ids",
        "passages",
        "document_texts",
        "documents",
        "collections",
    ):
        op.drop_table(table)
    with op.batch_alter_table("messages") as messages:
        messages.drop_column("grounding")


def _make_collections() -> None:
    op.create_table(
        "collections",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("threshold", sa.Float),
        sa.Column("faq_threshold", sa.Float),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("faq_revision", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_index(
        "ux_collections_name",
        "collections",
        ["name"],
        unique=True,
        sqlite_where=_THERE,
        postgresql_where=_THERE,
    )


def _make_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(32), primary_key=True),
        _collection(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("size", _BIG, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("pages", sa.Integer),
        sa.Column("passages", sa.Integer, nullable=False),
        sa.Column("file", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_index("ux_documents_name", "documents", ["collection_id", "name"], unique=True)
    op.create_index("ix_documents_there", "documents", ["collection_id", "deleted_at", "passages"])
    op.create_table(
        "document_texts",
        sa.Column(
            "document_id",
            sa.String(32),
            sa.ForeignKey("documents.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("headings", sa.Text, nullable=False),
        sa.Column("page_starts", sa.Text, nullable=False),
    )


def _make_passages() -> None:
    op.create_table(
        "passages",
        sa.Column("id", _BIG, primary_key=True, autoincrement=False),
        sa.Column(
            "document_id",
            sa.String(32),
            sa.ForeignKey("documents.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("page", sa.Integer),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
    )
    op.create_index("ix_passages_document", "passages", ["document_id"])
    op.create_index("ix_passages_collection", "passages", ["collection_id"])
    ids = op.create_table(
        "passage_ids",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("free", _BIG, nullable=False),
    )
    op.bulk_insert(ids, [{"id": 1, "free": 1}])
    op.create_table(
        "removed_passages",
        sa.Column(
            "collection_id",
            sa.String(32),
            sa.ForeignKey("collections.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("passage_id", _BIG, primary_key=True, autoincrement=False),
    )


def _make_vectors() -> None:
    op.create_table(
        "embedders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False, unique=True),
    )
    op.create_table(
        "passage_vectors",
        sa.Column(
            "passage_id",
            _BIG,
            sa.ForeignKey("passages.id", ondelete="CASCADE", onupdate="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("embedder_id", sa.Integer, sa.ForeignKey("embedders.id"), primary_key=True),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "ix_passage_vectors_revision",
        "passage_vectors",
        ["collection_id", "embedder_id", "revision"],
    )
    op.create_table(
        "text_vectors",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )


def _make_questions() -> None:
    op.create_table(
        "faq_entries",
        sa.Column("id", sa.String(32), primary_key=True),
        _collection(),
        sa.Column("questions", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_index("ix_faq_entries_there", "faq_entries", ["collection_id", "deleted_at"])
    op.create_table(
        "unanswered_questions",
        sa.Column("id", sa.String(32), primary_key=True),
        _collection(),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("vector", sa.LargeBinary),
    )
    op.create_index(
        "ix_unanswered_questions_collection", "unanswered_questions", ["collection_id", "id"]
    )


def _make_ingest_files() -> None:
    op.create_table(
        "ingest_files",
        sa.Column("id", sa.String(32), primary_key=True),
        _collection(),
        sa.Column("batch_id", sa.String(32), nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("size", _BIG, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("passages", sa.Integer, nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
    )
    op.create_index("ix_ingest_files_status", "ingest_files", ["status"])
    op.create_index("ix_ingest_files_batch", "ingest_files", ["batch_id"])
    op.create_index("ix_ingest_files_collection", "ingest_files", ["collection_id"])


def _collection() -> sa.Column[str]:
    return sa.Column(
        "collection_id",
        sa.String(32),
        sa.ForeignKey("collections.id", ondelete="CASCADE"),
        nullable=False,
    )
