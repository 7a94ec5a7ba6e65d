"""The names of a table's columns: from its first row, if that names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chatapp.training.data.limits import LONGEST_NAME, MOST_COLUMNS, refusal, shortened
from chatapp.training.data.synonyms import is_known
from chatapp.training_records import Finding, Place

_LONGEST_HEADER = 40
_SENTENCE_ENDS = (".", "?", "!", "。", "？", "！", "…")
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")


@dataclass(frozen=True, slots=True)
class Header:
    """What the columns are called.

    Attributes:
        present: whether the first row said so; otherwise it is an example like the others.
        notes: what is worth knowing about the names.
    """

    columns: tuple[str, ...]
    present: bool
    notes: tuple[Finding, ...] = ()


def find_header(name: str, rows: Sequence[Sequence[str]], number: int) -> Header:
    """The columns of a table.

    Args:
        name: of the file.
        rows: the first ones, as far as there is anything in them.
        number: of the first row.

    Raises:
        DatasetError: there are too many columns.
    """
    width = len(rows[0])
    if width > MOST_COLUMNS:
        raise refusal(
            name,
            f", row {number}: there are {width:,} columns, but at most {MOST_COLUMNS} can be "
            "read. Keep the ones that hold the examples.",
            number,
        )
    if _is_header(rows):
        columns, notes = _named(name, rows[0], number)
        return Header(columns, True, notes)
    width = min(MOST_COLUMNS, max(map(len, rows)))
    note = Finding(
        kind="no_header",
        severity="note",
        sentence=f"{name} has no row that names its columns, so they are called column 1, "
        "column 2 and so on. Put names above them if that reads wrong.",
        count=1,
        places=(Place(file=name, row=number, value=shortened(" | ".join(rows[0]))),),
    )
    return Header(tuple(f"column {at}" for at in range(1, width + 1)), False, (note,))


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: by names that are known, or because it is unlike
    the rows below it."""
    first = [cell.strip() for cell in rows[0]]
    below = [{row[at].strip() for row in rows[1:] if at < len(row)} for at in range(len(first))]
    if any(cell and cell in values for cell, values in zip(first, below, strict=True)):
        return False
    return any(map(is_known, first)) or not (
        len(rows) == 1
        or any(
            len(cell) > _LONGEST_HEADER or cell.endswith(_SENTENCE_ENDS) or _NUMBER.fullmatch(cell)
            for cell in first
        )
    )


def _named(
    name: str, header: Sequence[str], number: int
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Names out of a header row, each once; and a note where some had to be changed."""
    columns: list[str] = []
    twice: list[Place] = []
    for at, cell in enumerate(header, 1):
        said = " ".join(cell.replace("\ufeff", "").split())[:LONGEST_NAME]
        column = said or f"column {at}"
        count = 2
        while column in columns:
            column = f"{said or f'column {at}'} ({count})"
            count += 1
        if said and column != said:
            twice.append(Place(file=name, row=number, column=column, value=said))
        columns.append(column)
    if not twice:
        return tuple(columns), ()
    again = ", ".join(f"{place.value!r} is also there as {place.column!r}" for place in twice[:5])
    note = Finding(
        kind="duplicate_header",
        severity="warning",
        sentence=f"{name}, row {number}: some columns have the same name; {again}. Check which of "
        "them is meant, or rename them.",
        count=len(twice),
        places=tuple(twice),
    )
    return tuple(columns), (note,)
