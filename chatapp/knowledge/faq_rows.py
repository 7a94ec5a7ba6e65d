"""The rows of a table of questions, as they stand in each kind of file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.kinds import damaged
from chatapp.knowledge.loading.office_zip import check_office_zip
from chatapp.knowledge.loading.text_bytes import decode

COLUMNS = ("question", "answer", "language", "tags")

_NAMES = {
    "question": "question",
    "questions": "question",
    "answer": "answer",
    "language": "language",
    "lang": "language",
    "tags": "tags",
    "tag": "tags",
    "问题": "question",
    "答案": "answer",
    "回答": "answer",
    "语言": "language",
    "标签": "tags",
}
_DELIMITERS = ",;\t|"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GUARD = "'"
_MOST_EMPTY = 1_000
"""Empty rows in a row after which a sheet is over: some claim a million."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read.

    Attributes:
        unit, number: how errors call it: ``row 7`` as spreadsheets count, ``line 7``, ``entry 7``.
        cells: by the names of COLUMNS; texts, and in JSON whatever was there.
    """

    file: str
    unit: str
    number: int
    cells: Mapping[str, object]


def separated_rows(path: Path, name: str) -> Iterator[Row]:
    """Rows of a CSV or TSV file, whatever separates its cells.

    Raises:
        DocumentError: no header, or a row that does not fit it.
    """
    text = decode(path.read_bytes()).replace("\0", "")
    # Strict, for an unclosed quotation mark would otherwise swallow all rows below it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        rows = ([unguarded(cell) for cell in row] for row in reader)
        yield from _below_header(name, enumerate(rows, 1))
    except csv.Error as error:
        raise DocumentError(
            f"{name}, line {reader.line_num}: this is not a row of a table ({error}). Look for a "
            'quotation mark " that is never closed.',
            file=name,
            line=reader.line_num,
        ) from None


def workbook_rows(path: Path, name: str) -> Iterator[Row]:
    """Rows of the first visible sheet of an XLSX file.

    Raises:
        DocumentError: no header, a zip bomb, or a damaged or locked file.
    """
    check_office_zip(path, name)
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            rows = visible[0].iter_rows(values_only=True) if visible else ()
            yield from _below_header(name, _until_empty(rows))
        finally:
            book.close()
    except (KeyError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        # Broken XML is a SyntaxError; the others are openpyxl's answers to missing parts.
        raise damaged(name) from error
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise damaged(name) from error


def json_rows(path: Path, name: str) -> Iterator[Row]:
    """Entries of a JSON list of objects.

    Raises:
        DocumentError: no JSON, and where it goes wrong; or no such list.
    """
    entries = _parsed(decode(path.read_bytes()), name, 0)
    if not isinstance(entries, list):
        raise DocumentError(
            f"{name} is not a list of objects with {' and '.join(COLUMNS[:2])}.", file=name
        )
    for number, entry in enumerate(entries, 1):
        yield _row(name, "entry", number, entry)


def lined_rows(path: Path, name: str) -> Iterator[Row]:
    """Objects of a JSONL file, one a line.

    Raises:
        DocumentError: a line that is no JSON object, and its number.
    """
    for number, line in enumerate(decode(path.read_bytes()).split("\n"), 1):
        if line.strip():
            yield _row(name, "line", number, _parsed(line, name, number))


def guarded(cell: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would take it for a formula."""
    return _GUARD + cell if cell.lstrip(_GUARD).startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """Undo ``guarded``."""
    is_guarded = cell.startswith(_GUARD) and cell.lstrip(_GUARD).startswith(_FORMULA)
    return cell[len(_GUARD) :] if is_guarded else cell


def _delimiter(text: str) -> str:
    """The one with which the first line has the columns."""
    for delimiter in _DELIMITERS:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        if {"question", "answer"} <= {_column(cell) for cell in header}:
            return delimiter
    return _DELIMITERS[0]


def _column(cell: object) -> str:
    name = str(cell if cell is not None else "").strip().lower()
    return _NAMES.get(name, name)


def _until_empty(rows: Iterable[Sequence[object]]) -> Iterator[tuple[int, Sequence[object]]]:
    empty = 0
    for number, row in enumerate(rows, 1):
        empty = 0 if any(cell is not None for cell in row) else empty + 1
        if empty > _MOST_EMPTY:
            return
        yield number, row


def _below_header(name: str, rows: Iterator[tuple[int, Sequence[object]]]) -> Iterator[Row]:
    numbered = ((number, row) for number, row in rows if any(_shown(cell).strip() for cell in row))
    number, first = next(numbered, (1, ()))
    header = [_column(cell) for cell in first]
    for needed in COLUMNS[:2]:
        if header.count(needed) != 1:
            problem = "there is no" if needed not in header else "there is more than one"
            raise DocumentError(
                f"{name}, row {number}: {problem} column named {needed}. The first row must name "
                "the columns: question, answer and, where wanted, language and tags.",
                file=name,
                row=number,
                column=needed,
            )
    for number, row in numbered:
        cells = [_shown(cell) for cell in row]
        if any(cell.strip() for cell in cells[len(header) :]):
            raise DocumentError(
                f"{name}, row {number}: there are more cells than columns. Put a text that holds "
                "the separator into quotation marks.",
                file=name,
                row=number,
            )
        named = zip(header, cells, strict=False)
        yield Row(name, "row", number, dict(named))


def _shown(cell: object) -> str:
    """A cell as its reader sees it: 30 and not 30.0."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _parsed(text: str, name: str, line: int) -> object:
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        at = line or error.lineno
        raise DocumentError(
            f"{name}, line {at}, column {error.colno}: this is not JSON ({error.msg}).",
            file=name,
            line=at,
        ) from None
    except RecursionError:
        raise DocumentError(f"{name} is nested too deeply to be read.", file=name) from None
    return value


def _row(name: str, unit: str, number: int, entry: object) -> Row:
    if not isinstance(entry, dict):
        raise DocumentError(
            f"{name}, {unit} {number}: this is not an object with question and answer.",
            file=name,
            row=number,
        )
    return Row(name, unit, number, {_column(key): value for key, value in entry.items()})
