"""What every table shares: identifiers, points in time, and text any database can hold."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Text
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


class Lines(TypeDecorator[tuple[str, ...]]):
    """Short texts of one line each, as ``\\na\\nb\\n``, so that SQL can look for ``\\nb\\n``.

    White space inside a text becomes one space; empty texts are left out.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Towards the database."""
        lines = [one for text in value or () if (one := one_line(text))]
        return "\n" + "\n".join(lines) + "\n" if lines else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002
        """From the database."""
        return tuple(value[1:-1].split("\n")) if value else ()


def one_line(text: str) -> str:
    """Without line breaks and needless spaces, and harmless."""
    return " ".join(harmless(text).split())


def as_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept and looked for: one line each, in lower case, none twice."""
    return tuple(dict.fromkeys(tag for one in tags if (tag := one_line(one).lower())))


BigNumber = BigInteger().with_variant(Integer, "sqlite")
"""A whole number of up to 64 bits. SQLite has no others, but makes a key its row number only
under this name."""
