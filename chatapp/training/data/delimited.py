"""CSV and TSV: the delimiter, the quoting and the header are found out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from chatapp.knowledge.faq_rows import unguarded
from chatapp.training.data.headers import find_header
from chatapp.training.data.kinds import DELIMITERS
from chatapp.training.data.limits import LONGEST_CELL, refusal
from chatapp.training.data.places import Collected, be, has, rows
from chatapp.training.data.table import Layout, Row, Table, tabulate
from chatapp.training.data.text_file import broken_text, detect_encoding, lines

_SAMPLE, _SAMPLE_WIDTH = 100, 50_000
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How the file is written.

    Attributes:
        skipped: lines before the table (Excel's ``sep=;``).
        headed: whether the first row names the columns.
    """

    encoding: str
    delimiter: str
    quoted: bool
    skipped: int
    headed: bool
    columns: tuple[str, ...]


def read_delimited(path: Path, name: str) -> Table:
    """Read separated values, whatever separates them.

    Raises:
        DatasetError: a quotation mark that is never closed, or a line or cell that is too long.
    """
    # The library keeps this limit for the whole process; others may have raised it further.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    encoding = detect_encoding(path)
    sample = _sample(lines(path, name, encoding))
    marked = _SEPARATOR_LINE.fullmatch(sample[0].lstrip("\ufeff")) if sample else None
    skipped = 1 if marked else 0
    delimiter = marked[1] if marked else _delimiter(sample)
    quoted = delimiter != "\t" or _is_quoted(path, name, encoding)
    head = [row for row in _cells(sample[skipped:], delimiter, quoted) if any(row)]
    if not head:
        raise refusal(name, " holds no rows. Upload a file with examples in it.")
    header = find_header(name, head, skipped + 1)
    dialect = _Dialect(encoding, delimiter, quoted, skipped, header.present, header.columns)

    def reader(collected: Collected) -> Iterator[Row]:
        return _rows(path, name, dialect, collected)

    layout = Layout(kind="csv", columns=header.columns, notes=header.notes)
    return tabulate(name, layout, reader)


def _rows(path: Path, name: str, dialect: _Dialect, collected: Collected) -> Iterator[Row]:
    source = lines(path, name, dialect.encoding)
    for _ in range(dialect.skipped):
        next(source, None)
    waits_for_header = dialect.headed
    records = _records(source, name, dialect, collected)
    for number, cells in enumerate(records, dialect.skipped + 1):
        if cells is None or not any(cell.strip() for cell in cells):
            continue
        if waits_for_header:
            waits_for_header = False
            continue
        if any(cell.strip() for cell in cells[len(dialect.columns) :]):
            collected.add(
                "ragged",
                "error",
                _ragged,
                file=name,
                row=number,
                column=f"column {len(dialect.columns) + 1}",
                value=cells[len(dialect.columns)],
            )
            continue
        if any("\ufffd" in cell for cell in cells):
            column, cell = next(
                (column, cell)
                for column, cell in zip(dialect.columns, cells, strict=False)
                if "\ufffd" in cell
            )
            collected.add(
                "broken_text",
                "warning",
                broken_text,
                file=name,
                row=number,
                column=column,
                value=cell,
            )
        yield Row(number, dict(zip(dialect.columns, map(unguarded, cells), strict=False)))


def _records(
    source: Iterator[str], name: str, dialect: _Dialect, collected: Collected
) -> Iterator[list[str] | None]:
    """The rows with their cells; None for one that cannot be read."""
    reader = csv.reader(
        source,
        delimiter=dialect.delimiter,
        strict=dialect.quoted,
        quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
    )
    number = dialect.skipped
    while True:
        number += 1
        line = reader.line_num + 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            said = str(error)
            if "unexpected end" in said:
                raise refusal(
                    name,
                    f', row {number} (line {line}): a quotation mark " is opened and never closed, '
                    "so everything below it runs together. Close it, or remove it.",
                    number,
                ) from None
            if "field larger" in said:
                raise refusal(
                    name,
                    f", row {number} (line {line}): a cell is longer than "
                    f"{LONGEST_CELL // 1024**2} million characters. Look for a quotation mark "
                    '" that is never closed.',
                    number,
                ) from None
            collected.add(
                "unreadable", "error", _unreadable, file=name, row=number, value=f"line {line}"
            )
            yield None


def _sample(source: Iterator[str]) -> list[str]:
    """The first lines, fewer of them where they are long."""
    sample: list[str] = []
    size = 0
    for line in islice(source, _SAMPLE):
        sample.append(line[:_SAMPLE_WIDTH])
        size += len(line)
        if size > LONGEST_CELL:
            break
    return sample


def _delimiter(sample: Sequence[str]) -> str:
    """The one that cuts most lines into equally many cells; a comma where none does so, as in a
    file with one column."""

    def score(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        usual = max(set(counts), key=counts.count, default=1)
        return (counts.count(usual) if usual > 1 else 0), usual

    return max(DELIMITERS, key=score)


def _is_quoted(path: Path, name: str, encoding: str) -> bool:
    """Whether quotation marks of a file with tabs are signs: in some they are plain text."""
    try:
        for _ in csv.reader(lines(path, name, encoding), delimiter="\t", strict=True):
            pass
    except csv.Error:
        return False
    return True


def _cells(sample: Sequence[str], delimiter: str, quoted: bool) -> Iterator[list[str]]:
    if quoted:
        return csv.reader(sample, delimiter=delimiter)
    return csv.reader(sample, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def _ragged(count: int) -> str:
    return (
        f"{rows(count)} {has(count)} more cells than there are columns and {be(count)} left out. "
        'Put a text that holds the separator into quotation marks "…".'
    )


def _unreadable(count: int) -> str:
    return (
        f"{rows(count)} {be(count)} left out, because text follows directly after a closing "
        'quotation mark. Write a quotation mark inside a text twice: "".'
    )
