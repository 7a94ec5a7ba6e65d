"""Alembic runs this for every migration; ``Database.migrate`` hands in the connection."""

from alembic import context

from chatapp.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can change tables inside a transaction, though Alembic does not assume so.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
