"""Finds tables and columns among the lines of a page, by the gaps that divide them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatapp.knowledge.loading.page_lines import Cell, Line
from chatapp.knowledge.loading.tables import markdown_table

_FEWEST_ROWS = 2
_PROSE = 30
"""Letters of a usual cell from which on two of them side by side are columns of prose."""
_FEWEST_PROSE_ROWS = 4

_Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """Lines divided at the same places; ``spans`` are the columns, from left to right."""

    rows: tuple[Line, ...]
    spans: tuple[_Span, ...]

    def markdown(self) -> str:
        """As a Markdown table; a line without a first cell goes on with the row above it."""
        rows: list[list[str]] = []
        for line in self.rows:
            cells = [""] * len(self.spans)
            for cell in line.cells:
                column = _column(cell, self.spans)
                cells[column] = f"{cells[column]} {cell.text}".strip()
            if rows and not cells[0] and len(line.cells) < len(self.spans):
                rows[-1] = [" ".join(pair).strip() for pair in zip(rows[-1], cells, strict=True)]
            else:
                rows.append(cells)
        return markdown_table(rows)


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of prose whose lines came side by side."""

    table: Table

    def lines(self) -> list[Line]:
        """One column after the other."""
        found: list[Line] = []
        for column in range(len(self.table.spans)):
            for line in self.table.rows:
                cells = tuple(c for c in line.cells if _column(c, self.table.spans) == column)
                if cells:
                    found.append(Line(cells, line.top, line.bottom, line.size, line.bold))
        return found


def regions(lines: Sequence[Line]) -> Iterator[Table | Columns | Sequence[Line]]:
    """A page's lines as tables, columns and stretches of plain lines, in their order."""
    plain: list[Line] = []
    at = 0
    while at < len(lines):
        run = _run(lines, at)
        found = _table(run) if run else None
        if found is None:
            taken = run or lines[at : at + 1]
            plain.extend(taken)
            at += len(taken)
            continue
        if plain:
            yield plain
            plain = []
        yield found
        at += len(run)
    if plain:
        yield plain


def _run(lines: Sequence[Line], start: int) -> Sequence[Line]:
    """Divided lines from here on, and the undivided ones among them that go on with a cell."""
    end = start
    while end < len(lines):
        line = lines[end]
        if len(line.cells) < 2 and not (end > start and _continues(lines[start:end], line)):
            break
        end += 1
    return lines[start:end]


def _continues(above: Sequence[Line], line: Line) -> bool:
    """Whether an undivided line stands below a later cell of the row above, close to it."""
    last = above[-1]
    if last.bottom - line.top > 0.8 * line.size or line.top > last.top:
        return False
    row = next(one for one in reversed(above) if len(one.cells) > 1)
    return any(abs(cell.left - line.left) < 0.5 * line.size for cell in row.cells[1:])


def _table(run: Sequence[Line]) -> Table | Columns | None:
    divided = [line for line in run if len(line.cells) > 1]
    if len(divided) < _FEWEST_ROWS:
        return None
    spans = _spans([cell for line in run for cell in line.cells])
    if len(spans) < 2:
        return None
    table = Table(tuple(run), spans)
    cells = [cell for line in divided for cell in line.cells]
    letters = sum(len(cell.text) for cell in cells) / len(cells)
    if letters > _PROSE and len(spans) <= 3 and len(divided) >= _FEWEST_PROSE_ROWS:
        return Columns(table)
    return table


def _spans(cells: Sequence[Cell]) -> tuple[_Span, ...]:
    """What cells take up from left to right, those that overlap as one."""
    spans: list[_Span] = []
    for cell in sorted(cells, key=lambda one: one.left):
        if spans and cell.left < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], cell.right))
        else:
            spans.append((cell.left, cell.right))
    return tuple(spans)


def _column(cell: Cell, spans: Sequence[_Span]) -> int:
    """The column a cell lies in: the one whose end it does not pass."""
    return next(at for at, (_, right) in enumerate(spans) if cell.right <= right)
