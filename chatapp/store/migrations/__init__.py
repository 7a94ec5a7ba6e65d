"""Alembic's steps from any older database to the present one."""
