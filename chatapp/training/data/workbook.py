"""XLSX: the first visible sheet with anything on it. Formulas give the values that were last
calculated; nothing is ever calculated here."""

from __future__ import annotations

import datetime
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.errors import DatasetError, DocumentError
from chatapp.knowledge.loading.office_zip import check_office_zip
from chatapp.training.data.headers import find_header
from chatapp.training.data.limits import refusal, shortened
from chatapp.training.data.places import Collected, be, has, rows
from chatapp.training.data.table import Layout, Row, Table, tabulate
from chatapp.training_records import Finding

if TYPE_CHECKING:
    from openpyxl import Workbook

_SAMPLE = 100
_MOST_EMPTY = 1_000
"""Empty rows in a row after which a sheet is over: some claim a million."""
_FORMULA = b"<f"
_BROKEN = (KeyError, ValueError, TypeError, AttributeError, SyntaxError, IndexError)
# Broken XML is a SyntaxError; the others are openpyxl's answers to missing parts.
_BROKEN_FILE = (OSError, EOFError, RuntimeError, OverflowError, zipfile.BadZipFile, zlib.error)


def read_workbook(path: Path, name: str) -> Table:
    """Read a workbook.

    Raises:
        DatasetError: a zip bomb, a password, a damaged file or nothing in it.
    """
    try:
        check_office_zip(path, name)
    except DocumentError as error:
        said = error.sentence.replace(
            "Split it, or save it as PDF.", "Split it, or save it as CSV."
        )
        raise DatasetError(said, **error.facts) from None
    try:
        return _read(path, name)
    except (*_BROKEN, *_BROKEN_FILE):
        raise refusal(
            name,
            " is a damaged Excel file. Open it in the program it comes from, save it again and "
            "upload that.",
        ) from None


def _read(path: Path, name: str) -> Table:
    with _opened(path, values=True) as book:
        visible = [at for at, one in enumerate(book.worksheets) if one.sheet_state == "visible"]
        filled = [at for at in visible if any(True for _ in _filled(book, at))]
        if not filled:
            raise refusal(name, " has no visible sheet with anything on it.")
        titles = [book.worksheets[at].title for at in filled]
        numbered = list(islice(_filled(book, filled[0]), _SAMPLE))
    first = numbered[0][0]
    sample = [[_shown(cell) for cell in _stripped(cells)] for _, cells in numbered]
    header = find_header(name, sample, first)
    notes = header.notes if len(titles) == 1 else (*header.notes, _other_sheets(name, titles))
    begins = first + 1 if header.present else first
    has_formulas = _has_formulas(path)

    def reader(collected: Collected) -> Iterator[Row]:
        return _rows(path, name, filled[0], header.columns, begins, has_formulas, collected)

    return tabulate(name, Layout(kind="xlsx", columns=header.columns, notes=notes), reader)


def _rows(
    path: Path,
    name: str,
    sheet: int,
    columns: Sequence[str],
    first: int,
    has_formulas: bool,
    collected: Collected,
) -> Iterator[Row]:
    formulas = _formulas(path, sheet) if has_formulas else iter(())
    waiting = next(formulas, None)
    with _opened(path, values=True) as book:
        for number, cells in _filled(book, sheet):
            calculated: list[int] = []
            while waiting is not None and waiting[0] <= number:
                if waiting[0] == number:
                    calculated = waiting[1]
                waiting = next(formulas, None)
            if number < first:
                continue
            _note_formulas(name, number, columns, cells, calculated, collected)
            values = [_shown(cell) for cell in _stripped(cells)]
            if any(values[len(columns) :]):
                collected.add(
                    "ragged",
                    "error",
                    _ragged,
                    file=name,
                    row=number,
                    column=f"column {len(columns) + 1}",
                    value=next(filter(None, values[len(columns) :])),
                )
                continue
            yield Row(number, dict(zip(columns, values, strict=False)))


def _note_formulas(
    name: str,
    number: int,
    columns: Sequence[str],
    cells: Sequence[object],
    calculated: Sequence[int],
    collected: Collected,
) -> None:
    for at in calculated:
        value = cells[at] if at < len(cells) else None
        column = columns[at] if at < len(columns) else f"column {at + 1}"
        if value is None:
            collected.add(
                "formula", "warning", _not_calculated, file=name, row=number, column=column
            )
        else:
            collected.add(
                "calculated", "note", _calculated, file=name, row=number, column=column, value=value
            )


@contextmanager
def _opened(path: Path, *, values: bool) -> Iterator[Workbook]:
    """Open for reading. The library looks at a path's ending, which may be anything here."""
    import openpyxl

    with (
        path.open("rb") as file,
        closing(openpyxl.load_workbook(file, read_only=True, data_only=values)) as book,
    ):
        yield book


def _filled(book: Workbook, sheet: int) -> Iterator[tuple[int, Sequence[object]]]:
    """Rows with anything in them, with their numbers."""
    chosen = book.worksheets[sheet]
    chosen.reset_dimensions()
    empty = 0
    for number, cells in enumerate(chosen.iter_rows(values_only=True), 1):
        if any(cell is not None and str(cell).strip() for cell in cells):
            empty = 0
            yield number, cells
        else:
            empty += 1
            if empty > _MOST_EMPTY:
                return


def _formulas(path: Path, sheet: int) -> Iterator[tuple[int, list[int]]]:
    """Rows with formulas, and in which columns."""
    with _opened(path, values=False) as book:
        chosen = book.worksheets[sheet]
        chosen.reset_dimensions()
        for number, cells in enumerate(chosen.iter_rows(), 1):
            calculated = [at for at, cell in enumerate(cells) if cell.data_type == "f"]
            if calculated:
                yield number, calculated


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        for part in archive.namelist():
            if part.startswith("xl/worksheets/") and part.endswith(".xml"):
                with archive.open(part) as file:
                    before = b""
                    while chunk := file.read(1024**2):
                        if _FORMULA in before + chunk:
                            return True
                        before = chunk[-1:]
    return False


def _stripped(cells: Sequence[object]) -> Sequence[object]:
    """Without the empty cells at the end."""
    length = len(cells)
    while length and (cells[length - 1] is None or not str(cells[length - 1]).strip()):
        length -= 1
    return cells[:length]


def _shown(cell: object) -> str:
    """A cell as its reader sees it: 30 and not 30.0."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return str(cell)


def _other_sheets(name: str, titles: Sequence[str]) -> Finding:
    others = ", ".join(shortened(title, 40) for title in titles[1:6])
    return Finding(
        kind="other_sheets",
        severity="note",
        sentence=f"{name} has several sheets; only the first, {shortened(titles[0], 40)}, was "
        f"read, and not {others}. Save another one as a file of its own if that is meant.",
        count=len(titles) - 1,
    )


def _not_calculated(count: int) -> str:
    return (
        f"{rows(count)} {has(count)} a formula that was never calculated, so its cell is read as "
        "empty. Open the file in Excel or LibreOffice, save it, and upload it again."
    )


def _calculated(count: int) -> str:
    return f"{rows(count)} {has(count)} formulas; the values that were last calculated are used."


def _ragged(count: int) -> str:
    return (
        f"{rows(count)} {has(count)} cells beyond the last named column and {be(count)} left out. "
        "Name the column in the first row, or clear the cells."
    )
