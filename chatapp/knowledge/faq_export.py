"""FAQ entries as a file: a row a question in CSV, XLSX and JSONL, an entry with all in JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from chatapp.errors import DocumentError, InvalidRequest
from chatapp.knowledge.faq_rows import COLUMNS, guarded
from chatapp.knowledge_records import FaqEntry

_LONGEST_CELL = 32_767
"""Characters a cell of a workbook can hold."""


def write_faqs(entries: Sequence[FaqEntry], path: Path) -> None:
    """Write entries in the format that the file's ending names; ``read_faqs`` reads it again.

    Raises:
        InvalidRequest: an ending other than .csv, .xlsx, .json and .jsonl.
        DocumentError: the file cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise InvalidRequest(
            f"{path.name} does not say its format. End its name in {', '.join(_WRITERS)}."
        )
    try:
        write(entries, path)
    except OSError as error:
        raise DocumentError(f"{path} cannot be written: {error.strerror}.") from error


def _rows(entries: Sequence[FaqEntry]) -> Iterator[tuple[str, str, str, str]]:
    for entry in entries:
        for question in entry.questions:
            yield question, entry.answer, entry.language, ", ".join(entry.tags)


def _write_csv(entries: Sequence[FaqEntry], path: Path) -> None:
    # With the mark, spreadsheet programs read it as UTF-8 too.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([guarded(cell) for cell in row] for row in _rows(entries))


def _write_xlsx(entries: Sequence[FaqEntry], path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    rows = list(_rows(entries))
    _check_lengths(rows)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("FAQ")
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCD", (50, 90, 12, 24), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append(COLUMNS)
    for row in rows:
        cells = [WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text)) for text in row]
        for cell in cells:
            cell.data_type = "s"  # a text, even where it begins like a formula
        sheet.append(cells)
    book.save(path)


def _check_lengths(rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        if any(len(text) > _LONGEST_CELL for text in row):
            raise DocumentError(
                f"The answer to {row[0]!r} is longer than a cell of a workbook can be. "
                "Export as JSON or CSV instead.",
                question=row[0],
            )


def _write_json(entries: Sequence[FaqEntry], path: Path) -> None:
    listed = [
        {
            "questions": list(entry.questions),
            "answer": entry.answer,
            "language": entry.language,
            "tags": list(entry.tags),
        }
        for entry in entries
    ]
    path.write_text(json.dumps(listed, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _write_lines(entries: Sequence[FaqEntry], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(entries):
            file.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n")


_WRITERS: dict[str, Callable[[Sequence[FaqEntry], Path], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".json": _write_json,
    ".jsonl": _write_lines,
}
