"""Lines of pages into headings, paragraphs, lists and tables.

The rules are plain: letters larger than most are headings (or what the file's own bookmarks name),
a wider gap or a short last line ends a paragraph, lines divided at the same places are a table,
and lines that come back at the edges of most pages belong to no page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from chatapp.knowledge.loading.draft import Draft, joined
from chatapp.knowledge.loading.page_edges import letters_of, without_running_lines
from chatapp.knowledge.loading.page_lines import Cell, Line
from chatapp.knowledge.loading.page_tables import Columns, Table, regions
from chatapp.knowledge.loading.plain import ITEM

_LARGER = 1.15
_LARGER_SCANNED = 1.4
"""How much larger than most letters a heading's are; boxes around scanned lines vary."""
_SAME_SIZE = 0.08
_LONGEST_HEADING = 120
_LONGEST_BOLD = 80
_MOST_HEADINGS = 0.35
"""Share of a document's lines above which large letters are no headings."""
_LEVELS = 4
_SHORT = 0.8
_ENDS = re.compile(r"[.!?:。！？：…][\"'”’»)\]」』）]*$")
_NO_HEADING = re.compile(r"[.,;:，。；：、]$")
_MARK = re.compile(r"^(?:[•▪◦‣●○■□➢✓·*–—-]|[\uf0a7\uf0b7\uf0d8])$")
_BULLET = re.compile(r"^[•▪◦‣●○■□➢✓·*–—\uf0a7\uf0b7\uf0d8-]\s*")


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of a page in reading order; ``scanned`` if they were recognised."""

    lines: tuple[Line, ...]
    scanned: bool = False


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of a file's own table of contents; ``page`` counts from 0, ``level`` from 1."""

    page: int
    level: int
    title: str


def add_pages(draft: Draft, pages: Sequence[Page], bookmarks: Sequence[Bookmark]) -> None:
    """Add pages to a draft, one draft page each."""
    marked = [[_unmarked(line) for line in page.lines] for page in pages]
    kept = without_running_lines(marked)
    scanned = sum(page.scanned for page in pages) > len(pages) / 2
    named = {(mark.page, letters_of(mark.title)): mark.level for mark in bookmarks}
    headings = _Headings([line for lines in kept for line in lines], scanned, named)
    for number, lines in enumerate(kept):
        draft.page()
        _Flow(draft, lines, headings, number).run()


def _unmarked(line: Line) -> Line:
    """A bullet that stands apart from its item is joined with it: it is no cell of a table."""
    first = line.cells[0]
    if len(line.cells) < 2 or not (_MARK.match(first.text) or ITEM.match(f"{first.text} x")):
        return line
    second = line.cells[1]
    merged = Cell(f"{first.text} {second.text}", first.left, second.right)
    cells = (merged, *line.cells[2:])
    return Line(cells, line.top, line.bottom, line.size, line.bold, line.broken)


class _Headings:
    """Knows which lines are headings, and of which level."""

    def __init__(
        self, lines: Sequence[Line], scanned: bool, named: dict[tuple[int, str], int]
    ) -> None:
        self._named = named
        weights: Counter[float] = Counter()
        for line in lines:
            weights[round(line.size * 2) / 2] += len(line.text)
        self.body = weights.most_common(1)[0][0] if weights else 1.0
        self._larger = (_LARGER_SCANNED if scanned else _LARGER) * self.body
        large = [line.size for line in lines if self._is_large(line)]
        self._sizes = _classes(large) if len(large) <= _MOST_HEADINGS * len(lines) else []

    def level(self, line: Line, page: int, *, alone: bool) -> int | None:
        """The line's level from 1; None for a line of text. ``alone``: with a gap above it."""
        key = (page, letters_of(line.text))
        if key in self._named:
            return self._named[key]
        if self._named:
            return None
        if self._sizes and self._is_large(line):
            return next((at for at, size in enumerate(self._sizes, 1) if line.size >= size), None)
        bold = line.bold and alone and len(line.text) <= _LONGEST_BOLD and len(line.cells) == 1
        if bold and not _NO_HEADING.search(line.text) and _has_letters(line.text):
            return min(len(self._sizes) + 1, 6)
        return None

    def _is_large(self, line: Line) -> bool:
        fits = line.size >= self._larger and len(line.text) <= _LONGEST_HEADING
        return fits and _has_letters(line.text) and not ITEM.match(line.text)


def _classes(sizes: Sequence[float]) -> list[float]:
    """The smallest size of each class of headings, from the largest class down."""
    smallest: list[float] = []
    largest = 0.0
    for size in sorted(set(sizes), reverse=True):
        if smallest and size >= largest * (1 - _SAME_SIZE):
            smallest[-1] = size
        elif len(smallest) < _LEVELS:
            smallest.append(size)
            largest = size
        else:
            smallest[-1] = size
    return smallest


def _has_letters(text: str) -> bool:
    return sum(letter.isalpha() for letter in text) >= 2


class _Flow:
    """Goes down a page; lines gather until something begins anew."""

    def __init__(self, draft: Draft, lines: list[Line], headings: _Headings, page: int) -> None:
        self._draft = draft
        self._lines = lines
        self._headings = headings
        self._page = page
        self._gap = _usual_gap(lines)
        self._right = max((line.right for line in lines), default=0.0)
        self._gathered: list[Line] = []
        self._items: list[str] = []
        self._heading: tuple[int, list[str]] | None = None

    def run(self) -> None:
        for region in regions(self._lines):
            if isinstance(region, Table):
                self._end()
                self._draft.block(region.markdown())
            elif isinstance(region, Columns):
                self._text(region.lines())
            else:
                self._text(region)
        self._end()

    def _text(self, lines: Sequence[Line]) -> None:
        before: Line | None = None
        for line in lines:
            new = before is None or self._begins(before, line)
            level = self._headings.level(line, self._page, alone=new)
            if level is not None:
                self._title(level, line, new)
            elif new or self._heading:
                self._end_paragraph(keeps_list=bool(ITEM.match(line.text)))
                self._gathered = [line]
            else:
                self._gathered.append(line)
            before = line

    def _title(self, level: int, line: Line, new: bool) -> None:
        """Lines of one level that follow closely are one heading."""
        if self._heading and self._heading[0] == level and not new:
            self._heading[1].append(line.text)
            return
        self._end()
        self._heading = (level, [line.text])

    def _begins(self, before: Line, line: Line) -> bool:
        size = max(before.size, line.size)
        if abs(before.size - line.size) > 0.15 * size or before.bold != line.bold:
            return True
        if ITEM.match(line.text):
            return True
        ended = bool(_ENDS.search(before.text))
        if line.top > before.top + size:
            return ended
        if before.bottom - line.top > self._gap + 0.4 * size:
            return True
        short = before.right < line.left + _SHORT * (self._right - line.left)
        indented = line.left > before.left + size and not self._gathered_item()
        return ended and (short or indented)

    def _gathered_item(self) -> bool:
        return bool(self._gathered) and bool(ITEM.match(self._gathered[0].text))

    def _end_paragraph(self, *, keeps_list: bool = False) -> None:
        """Hand on what gathered: as an item of the list, or as a paragraph."""
        if self._heading:
            level, parts = self._heading
            self._heading = None
            self._draft.heading(level, joined(parts))
        if self._gathered_item():
            self._items.append(_BULLET.sub("- ", _prose(self._gathered)))
            self._gathered = []
        if self._items and not keeps_list:
            self._draft.block("\n".join(self._items))
            self._items = []
        if self._gathered:
            self._draft.paragraph(_prose(self._gathered))
            self._gathered = []

    def _end(self) -> None:
        self._end_paragraph()


def _prose(lines: Sequence[Line]) -> str:
    text, broken = "", False
    for line in lines:
        text = text + line.text if broken else joined([part for part in (text, line.text) if part])
        broken = line.broken
    return text


def _usual_gap(lines: Sequence[Line]) -> float:
    """Between the lines of a paragraph, in points."""
    gaps = [
        above.bottom - below.top
        for above, below in pairwise(lines)
        if abs(above.size - below.size) < 0.15 * above.size
        and -0.5 * above.size < above.bottom - below.top < above.size
    ]
    return median(gaps) if gaps else 0.0
