"""Plain text: its paragraphs, or its lines where it has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chatapp.training.data.places import Collected
from chatapp.training.data.table import Layout, Row, Table, tabulate
from chatapp.training.data.text_file import broken_text, detect_encoding, lines

_LONGEST = 4_000
"""Characters of a row: a longer paragraph is cut at the end of a line."""


def read_plain_text(path: Path, name: str) -> Table:
    """Read a text file; a row is a paragraph, and its number that of its first line.

    Raises:
        DatasetError: a line that is too long.
    """
    encoding = detect_encoding(path)
    parted = any(not line.strip() for line in lines(path, name, encoding))

    def reader(collected: Collected) -> Iterator[Row]:
        block: list[str] = []
        began = length = 0
        for number, line in enumerate(lines(path, name, encoding), 1):
            text = line.strip("\ufeff\r\n\0 \t")
            if "\ufffd" in text:
                collected.add(
                    "broken_text", "warning", broken_text, file=name, row=number, value=text
                )
            ends = not text or not parted or length + len(text) > _LONGEST
            if block and ends:
                yield Row(began, {"text": "\n".join(block)})
                block, length = [], 0
            if text:
                began = began if block else number
                block.append(text)
                length += len(text)
        if block:
            yield Row(began, {"text": "\n".join(block)})

    return tabulate(name, Layout(kind="text", unit="line", columns=("text",)), reader)
