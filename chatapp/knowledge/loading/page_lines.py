"""Lines as they stand on a page, before it is known which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line without a wide gap in it; distances in points."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page.

    Attributes:
        cells: from left to right; several where wide gaps divide the line.
        top, bottom: distances from the foot of the page, in points; top is the larger one.
        size: of its letters, in points.
        bold: whether its letters are heavy.
        broken: whether it ends within a word, at a hyphen that is not part of it.
    """

    cells: tuple[Cell, ...]
    top: float
    bottom: float
    size: float
    bold: bool = False
    broken: bool = False

    @property
    def text(self) -> str:
        """All of the line."""
        return " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        """Where it begins."""
        return self.cells[0].left

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.cells[-1].right


def rows_of(boxes: Sequence[Line]) -> list[Line]:
    """Boxes that stand beside each other as lines of several cells, from top to bottom."""
    rows: list[list[Line]] = []
    for box in sorted(boxes, key=lambda one: -one.top):
        row = rows[-1] if rows else []
        if row and min(row[0].top, box.top) - max(row[0].bottom, box.bottom) > 0.5 * min(
            row[0].size, box.size
        ):
            row.append(box)
        else:
            rows.append([box])
    return [_merged(sorted(row, key=lambda one: one.left)) for row in rows]


def _merged(row: list[Line]) -> Line:
    return Line(
        cells=tuple(cell for box in row for cell in box.cells),
        top=max(box.top for box in row),
        bottom=min(box.bottom for box in row),
        size=median(box.size for box in row),
    )
