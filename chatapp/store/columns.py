"""What every table shares: identifiers, points in time, and text any database can hold."""

from __future__ import annotations

import itertools
import secrets
import time
from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

_made = itertools.count()


def new_id() -> str:
    """32 hex digits that sort by the time they were made: nanoseconds, a counter for clocks that
    are coarser, and 48 random bits."""
    return f"{time.time_ns():016x}{next(_made) & 0xFFFF:04x}{secrets.token_hex(6)}"


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time; always in UTC, also from SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Towards the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def harmless(text: str) -> str:
    """Text that every database takes.

    PostgreSQL refuses NUL characters and none takes half of a surrogate pair; the first are left
    out, the second become question marks.
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


class AnyString(TypeDecorator[str]):
    """A short text from anywhere, such as an id out of a stranger's request."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Towards the database."""
        return None if value is None else harmless(value)


class AnyText(AnyString):
    """The same without a limit."""

    impl = Text
    cache_ok = True
