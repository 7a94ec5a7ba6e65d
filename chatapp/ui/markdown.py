"""Text inside Markdown that must not become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_CODE: Final = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)


class Piece(NamedTuple):
    """A stretch of Markdown, in characters; code is taken literally by Markdown itself.

    Attributes:
        block: whether it is a fenced block of code, and not code inside a line.
    """

    start: int
    end: int
    code: bool
    block: bool


def pieces(text: str) -> Iterator[Piece]:
    """Code and what is between, in order; together they are the whole text."""
    at = 0
    for match in _CODE.finditer(text):
        if match.start() > at:
            yield Piece(at, match.start(), False, False)
        yield Piece(match.start(), match.end(), True, match[0].startswith("```"))
        at = match.end()
    if at < len(text):
        yield Piece(at, len(text), False, False)


def literal(text: str) -> str:
    """A person's text with its tags kept visible."""
    return "".join(
        text[piece.start : piece.end] if piece.code else without_tags(text[piece.start : piece.end])
        for piece in pieces(text)
    )


def without_tags(prose: str) -> str:
    """Text outside code whose tags are shown instead of followed."""
    return prose.replace("&", "&amp;").replace("<", "&lt;")
