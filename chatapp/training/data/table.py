"""A file of labelled data as a table: what every kind of file is read into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from chatapp.training.data.limits import MOST_COLUMNS, MOST_ROWS, refusal
from chatapp.training.data.places import Collected
from chatapp.training_records import Finding

_KEPT = 32 * 1024**2
"""Characters of a table that are kept in memory; a larger one is read again when it is needed."""
_SAMPLE = 400
"""Rows that tell what a file is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: as a spreadsheet counts rows, an editor counts lines, or from 1 in a list.
        cells: by column; what is not there is empty. Texts; in JSON and Parquet whatever was
            there, lists and objects among it.
    """

    number: int
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a reader knows before the first row.

    Attributes:
        unit: how errors call a row: ``row``, ``line`` or ``entry``.
        columns: as far as they are known; rows may bring more.
        notes: what is worth knowing about the file as a whole.
    """

    kind: str
    unit: str = "row"
    columns: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()


Reader = Callable[[Collected], Iterator[Row]]
"""Reads the rows from the first on; what cannot be read is collected and left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file that was read once from end to end, so that it holds no more surprises.

    Attributes:
        name: what the file is called.
        kind: ``csv``, ``json``, ``jsonl``, ``xlsx``, ``parquet`` or ``text``.
        columns: in the file's order.
        count: of the rows that can be read.
        unread: of the rows that cannot, as ``findings`` say.
        sample: some of the rows, from all over the file.
    """

    name: str
    kind: str
    unit: str
    columns: tuple[str, ...]
    count: int
    unread: int
    sample: tuple[Row, ...]
    findings: tuple[Finding, ...]
    _reader: Reader = field(repr=False)
    _kept: tuple[Row, ...] | None = field(default=None, repr=False)

    def rows(self) -> Iterator[Row]:
        """All rows; a large file is read again.

        Raises:
            DatasetError: the file changed since, and cannot be read any more.
        """
        if self._kept is not None:
            return iter(self._kept)
        return self._reader(Collected())


def tabulate(name: str, layout: Layout, reader: Reader) -> Table:
    """Read a file once, and count and keep what is in it.

    Raises:
        DatasetError: no rows, too many rows or columns, or more bad rows than good ones.
    """
    collected = Collected()
    columns = dict.fromkeys(layout.columns)
    kept: list[Row] | None = []
    sample: list[Row] = []
    count = size = 0
    every = 1
    for row in reader(collected):
        count += 1
        if count > MOST_ROWS:
            raise refusal(
                name, f" has more than {MOST_ROWS:,} rows. Split it into several files.", row.number
            )
        if count % every == 0:
            sample.append(row)
            if len(sample) > _SAMPLE:  # of a longer file, every second, fourth, … row
                every *= 2
                sample = sample[1::2]
        if not columns.keys() >= row.cells.keys():
            columns.update(dict.fromkeys(row.cells))
            _check_columns(name, layout, row, len(columns))
        if kept is not None:
            kept.append(row)
            size += sum(_size(cell) for cell in row.cells.values())
            if size > _KEPT:
                kept = None
    _check_rows(name, layout, count, collected)
    if not columns:
        raise refusal(name, " has rows, but nothing is in them. Add at least a few examples.")
    return Table(
        name=name,
        kind=layout.kind,
        unit=layout.unit,
        columns=tuple(columns),
        count=count,
        unread=collected.count("error"),
        sample=tuple(sample),
        findings=(*layout.notes, *collected.findings()),
        _reader=reader,
        _kept=None if kept is None else tuple(kept),
    )


def _check_columns(name: str, layout: Layout, row: Row, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise refusal(
            name,
            f", {layout.unit} {row.number}: there are more than {MOST_COLUMNS} columns. Keep the "
            "ones that hold the examples and leave out the others.",
            row.number,
        )


def _check_rows(name: str, layout: Layout, count: int, collected: Collected) -> None:
    bad = collected.count("error")
    if bad > count:
        first = next(one for one in collected.findings() if one.severity == "error")
        place = first.places[0]
        raise refusal(
            name,
            f": {bad:,} of {count + bad:,} rows cannot be read, the first of them is "
            f"{layout.unit} {place.row}. {first.sentence}",
            place.row,
        )
    if not count:
        where = " below its header" if layout.columns else ""
        raise refusal(name, f" holds no rows{where}. Add at least a few examples.")


def _size(cell: object) -> int:
    """About how many characters a cell takes; a list or an object is not looked through."""
    return len(cell) if isinstance(cell, str) else 500 if isinstance(cell, list | dict) else 8
