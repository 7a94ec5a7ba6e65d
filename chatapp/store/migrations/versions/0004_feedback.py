"""What people say about answers, the examples made of it, and blind votes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)
_THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Go one step forward."""
    _make_feedback()
    _make_examples()
    _make_votes()
    note = sa.Column("note", sa.Text, nullable=False, server_default="")
    op.add_column("unanswered_questions", note)


def downgrade() -> None:
    """Go one step back."""
    with op.batch_alter_table("unanswered_questions") as questions:
        questions.drop_column("note")
    for table in ("votes", "examples", "feedback"):
        op.drop_table(table)


def _make_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("earlier", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("adapter", sa.Text),
        sa.Column("grounding", sa.Text),
        sa.Column("reason", sa.String(32)),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("better", sa.Text, nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("decided_at", _MOMENT),
        sa.Column("outcome", sa.Text),
    )
    op.create_index("ux_feedback_message", "feedback", ["message_id"], unique=True)
    op.create_index("ix_feedback_status", "feedback", ["status", "at"])
    op.create_index("ix_feedback_conversation", "feedback", ["conversation_id"])


def _make_examples() -> None:
    op.create_table(
        "examples",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("remark_id", sa.String(32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_index(
        "ux_examples_key",
        "examples",
        ["key"],
        unique=True,
        sqlite_where=_THERE,
        postgresql_where=_THERE,
    )


def _make_votes() -> None:
    op.create_table(
        "votes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("first_adapter", sa.String(64)),
        sa.Column("second_adapter", sa.String(64)),
        sa.Column("first_answer", sa.Text, nullable=False),
        sa.Column("second_answer", sa.Text, nullable=False),
        sa.Column("swapped", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
