"""Rows of cells as Markdown tables, and nested items as Markdown lists."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def markdown_table(rows: Sequence[Row]) -> str:
    """A table whose first row is its header; empty rows and columns are left out."""
    filled = [row for row in ([_cell(cell) for cell in row] for row in rows) if any(row)]
    if not filled:
        return ""
    width = max(len(row) for row in filled)
    wide = [[*row, *[""] * (width - len(row))] for row in filled]
    used = [column for column in range(width) if any(row[column] for row in wide)]
    lines = [table_line([row[column] for column in used]) for row in wide]
    return "\n".join([lines[0], table_rule(len(used)), *lines[1:]])


def table_line(cells: Row) -> str:
    """One row."""
    return f"| {' | '.join(cells)} |"


def table_rule(columns: int) -> str:
    """What stands between the header and the rows."""
    return f"|{' --- |' * columns}"


def markdown_item(text: str, level: int, number: int | None = None) -> str:
    """An item of a list, ``level`` 0 outermost; numbered if a number is given."""
    mark = "-" if number is None else f"{number}."
    return f"{'  ' * min(level, 8)}{mark} {' '.join(text.split())}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
