"""Adapters, what is live of them, and what classifiers said of messages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True)
_THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Go one step forward."""
    _make_adapters()
    _make_promotions()
    _make_labels()


def downgrade() -> None:
    """Go one step back."""
    for table in ("message_labels", "promotions", "adapters"):
        op.drop_table(table)


def _make_adapters() -> None:
    op.create_table(
        "adapters",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("slot", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("base_model", sa.Text, nullable=False),
        sa.Column("base_hash", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(128)),
        sa.Column("data_hash", sa.String(64), nullable=False),
        sa.Column("test_hash", sa.String(64), nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("report", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_index(
        "ux_adapters_name",
        "adapters",
        ["name"],
        unique=True,
        sqlite_where=_THERE,
        postgresql_where=_THERE,
    )
    op.create_index("ix_adapters_run", "adapters", ["run_id"])


def _make_promotions() -> None:
    op.create_table(
        "promotions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("slot", sa.String(16), nullable=False),
        sa.Column("adapter_id", sa.String(32), sa.ForeignKey("adapters.id")),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rollback", sa.Boolean, nullable=False),
    )
    op.create_index("ix_promotions_slot", "promotions", ["slot", "id"])


def _make_labels() -> None:
    op.create_table(
        "message_labels",
        sa.Column(
            "message_id",
            sa.String(32),
            sa.ForeignKey("messages.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("purpose", sa.String(16), primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("adapter", sa.String(64), nullable=False),
        sa.Column("labelled_at", _MOMENT, nullable=False),
    )
    op.create_index(
        "ix_message_labels_purpose", "message_labels", ["purpose", "labelled_at", "label"]
    )
