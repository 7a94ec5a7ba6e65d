"""XLSX: a page for each sheet, its rows as Markdown tables, values as the sheet shows them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.office_zip import check_office_zip
from chatapp.knowledge.loading.tables import markdown_table

if TYPE_CHECKING:
    from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_EVERY = 2_000
_DIGITS = re.compile(r"[0#][0#,]*(?:\.(0+))?")
_CURRENCY = re.compile(r"\[\$([^\-\]]+)[^\]]*\]|([$€£¥₩₹元])")
_MOST_EMPTY = 1_000
"""Empty rows in a row after which a sheet is over: some claim a million."""


def load_workbook(path: Path, draft: Draft, progress: Progress) -> None:
    """Read a workbook; hidden sheets are left out, but counted as pages.

    Formulas give the values that were last calculated.

    Raises:
        DocumentError: a zip bomb or a locked file.
    """
    check_office_zip(path, draft.name)
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        draft.title = book.properties.title or ""
        sheets = book.worksheets
        for done, sheet in enumerate(sheets):
            draft.page()
            if sheet.sheet_state == "visible":
                _add(sheet, draft, partial(progress, done, len(sheets)))
            progress(done + 1, len(sheets))
    finally:
        book.close()


def _add(sheet: ReadOnlyWorksheet, draft: Draft, alive: Callable[[], None]) -> None:
    """Rows between empty ones are a table; rows of one cell above it are lines of text."""
    named = False
    for table in _tables(sheet, alive):
        if not named:
            draft.heading(1, sheet.title)
            named = True
        while table and sum(map(bool, table[0])) == 1:
            draft.paragraph("".join(table.pop(0)))
        draft.block(markdown_table(table))


def _tables(sheet: ReadOnlyWorksheet, alive: Callable[[], None]) -> Iterator[list[list[str]]]:
    sheet.reset_dimensions()
    table: list[list[str]] = []
    empty = 0
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if number % _EVERY == 0:
            alive()
        row = [_shown(cell) for cell in cells]
        if any(row):
            table.append(row)
            empty = 0
            continue
        if table:
            yield table
            table = []
        empty += 1
        if empty > _MOST_EMPTY:
            break
    if table:
        yield table


def _shown(cell: ReadOnlyCell | EmptyCell) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return shown_number(value, str(cell.number_format or ""))
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    return str(value).strip()


def shown_number(value: float, shape: str) -> str:
    """A number as its Excel format shows it, as far as decimals, per cent and currency go."""
    shape = shape.split(";")[0]
    currency = _CURRENCY.search(shape)
    sign = (currency[1] or currency[2]).strip() if currency else ""
    rest = shape.replace(currency[0], " " * len(currency[0]), 1) if currency else shape
    digits = _DIGITS.search(rest)
    value = value * 100 if "%" in rest else value
    if digits is None:
        text = f"{value:.10g}" if abs(value) < 1e15 else f"{value:.0f}"
    else:
        grouping = "," if "," in digits[0] else ""
        text = f"{value:{grouping}.{len(digits[1] or '')}f}"
    text = f"{text}%" if "%" in rest else text
    if currency is None:
        return text
    before = digits is None or currency.start() < digits.start()
    return f"{sign}{text}" if before else f"{text} {sign}"
