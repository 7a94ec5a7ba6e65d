"""Plain text: paragraphs at blank lines, lists where lines begin like items."""

from __future__ import annotations

import re
from pathlib import Path

from chatapp.knowledge.loading.draft import Draft, Progress, clean
from chatapp.knowledge.loading.text_bytes import read_text

ITEM = re.compile(
    r"^\s*(?:[-*•‣◦▪●○·–—]\s+|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s+|（?[0-9一二三四五六七八九十]{1,3}[）、]\s*)\S"
)
"""A line that begins as an item of a list does."""

_UNDERLINE = re.compile(r"^(={3,}|-{3,}|~{3,})$")


def load_plain(path: Path, draft: Draft, progress: Progress) -> None:
    """Read a text file in whatever encoding."""
    add_plain(read_text(path, draft.name), draft)
    progress(1, 1)


def add_plain(text: str, draft: Draft) -> None:
    """Add plain text to a draft; underlined lines are headings."""
    for part in clean(text).split("\n\n"):
        lines = part.split("\n")
        if len(lines) >= 2 and _UNDERLINE.match(lines[1].strip()) and lines[0].strip():
            draft.heading(1 if lines[1].startswith("=") else 2, lines[0])
            lines = lines[2:]
        if sum(bool(ITEM.match(line)) for line in lines) >= 2:
            draft.block("\n".join(lines))
        else:
            draft.paragraph("\n".join(lines))
