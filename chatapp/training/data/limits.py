"""What a file of labelled data may hold at most, and how its errors are said.

The limits are far above any real file. They keep a hostile one from filling the memory or the
screen: each is checked while the file is read, never after.
"""

from __future__ import annotations

from chatapp.errors import DatasetError

LARGEST_FILE = 512 * 1024**2
"""Bytes."""
LONGEST_ROW = 8 * 1024**2
"""Characters of a line of text, or of the texts of a row; bytes of one JSON value."""
LONGEST_CELL = 1024**2
"""Characters."""
MOST_ROWS = 1_000_000
MOST_COLUMNS = 500
DEEPEST = 32
"""Lists and objects within each other."""
LONGEST_NAME = 100
"""Characters of a column's name or a label, as far as they are shown."""
MOST_LABELS = 1_000
LONGEST_LABEL = 200
"""Characters."""
MOST_PLACES = 100
"""Of a finding, shown with it."""
SHOWN = 160
"""Characters of a value, where it is shown."""


def refusal(name: str, sentence: str, row: int = 0, column: str = "") -> DatasetError:
    """The error for a file: its sentence begins with the file's name."""
    facts: dict[str, str | int] = {"file": name}
    if row:
        facts["row"] = row
    if column:
        facts["column"] = column
    return DatasetError(f"{name}{sentence}", **facts)


def shortened(value: object, length: int = SHOWN) -> str:
    """A value on one line, its end left out where it is long."""
    text = " ".join(str(value)[: 4 * length].split())
    return text if len(text) <= length else text[: length - 1] + "…"
