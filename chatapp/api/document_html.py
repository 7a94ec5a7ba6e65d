"""A document's text as HTML: its headings, tables, lists and pages, and one passage marked.

Everything is escaped. The text keeps its offsets on the way, so that the mark sits exactly where
the passage does, even in the middle of a table's cell.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final, Literal

from chatapp.knowledge_records import Heading

PART: Final = 200_000
"""Characters of a document that are shown at once."""

_ITEM: Final = re.compile(r"([ \t]*)([-*+•]|\d{1,4}[.)])[ \t]+")
_RULE: Final = re.compile(r"\|?[ \t]*:?-{3,}:?[ \t]*(\|[ \t]*:?-{3,}:?[ \t]*)*\|?[ \t]*")
_HASHES: Final = re.compile(r"#{1,6}[ \t]+")
_BAR: Final = re.compile(r"(?<!\\)\|")

Span = tuple[int, int]
_Kind = Literal["blank", "heading", "row", "item", "text"]


def parts(text: str) -> list[Span]:
    """Where a long text is cut to be shown: at line ends, about ``PART`` characters apart."""
    cuts = [0]
    while len(text) - cuts[-1] > PART * 1.25:
        end = text.rfind("\n", cuts[-1] + PART // 2, cuts[-1] + PART)
        cuts.append(end + 1 if end >= 0 else cuts[-1] + PART)
    return list(pairwise([*cuts, len(text)])) if text else [(0, 0)]


def document_html(
    text: str,
    headings: Sequence[Heading],
    page_starts: Sequence[int],
    *,
    part: Span,
    marked: Span | None,
    page_label: str,
) -> str:
    """The part of ``text`` as HTML.

    Args:
        marked: the passage, in characters of ``text``; its beginning gets the id ``passage``.
        page_label: what a page is called, with ``{n}`` for its number; its beginning gets the id
            ``page-n``.
    """
    writer = _Writer(text, {heading.start: heading for heading in headings}, marked)
    page = bisect_right(page_starts, part[0]) if page_starts else 0
    if page:
        writer.page(page, page_label)
    for start, end in _lines(text, part):
        while page < len(page_starts) and page_starts[page] <= start:
            page += 1
            writer.page(page, page_label)
        writer.line(start, end)
    return writer.finish()


def _lines(text: str, part: Span) -> Iterator[Span]:
    start, last = part
    while start < last:
        end = text.find("\n", start, last)
        end = last if end < 0 else end
        yield start, end
        start = end + 1


@dataclass(slots=True)
class _Line:
    kind: _Kind
    start: int
    end: int


class _Writer:
    """Gathers lines of one kind and writes each group as one element."""

    def __init__(self, text: str, headings: dict[int, Heading], marked: Span | None) -> None:
        self._text = text
        self._headings = headings
        self._marked = marked
        self._named = False
        self._group: list[_Line] = []
        self._out: list[str] = []

    def page(self, number: int, label: str) -> None:
        self._flush()
        self._out.append(f'<p class="page" id="page-{number}">{escape(label.format(n=number))}</p>')

    def line(self, start: int, end: int) -> None:
        kind = self._kind(start, end)
        if not self._group or self._group[-1].kind != kind or kind == "heading":
            self._flush()
        if kind != "blank":
            self._group.append(_Line(kind, start, end))

    def finish(self) -> str:
        self._flush()
        return "".join(self._out)

    def _kind(self, start: int, end: int) -> _Kind:
        content = self._text[start:end].strip()
        if not content:
            return "blank"
        if start in self._headings:
            return "heading"
        if content.startswith("|") and content.endswith("|") and len(content) > 1:
            return "row"
        if _ITEM.match(self._text, start, end):
            return "item"
        if self._group and self._group[-1].kind == "item" and self._text[start] in " \t":
            return "item"
        return "text"

    def _flush(self) -> None:
        group, self._group = self._group, []
        if not group:
            return
        match group[0].kind:
            case "heading":
                self._heading(group[0])
            case "row":
                self._table(group)
            case "item":
                self._list(group)
            case _:
                inner = "<br>".join(self._inline(line.start, line.end) for line in group)
                self._out.append(f"<p>{inner}</p>")

    def _heading(self, line: _Line) -> None:
        # The page's own title is its h1.
        level = min(self._headings[line.start].level + 1, 6)
        hashes = _HASHES.match(self._text, line.start, line.end)
        inner = self._inline(hashes.end() if hashes else line.start, line.end)
        self._out.append(f'<h{level} id="h-{line.start}">{inner}</h{level}>')

    def _table(self, group: list[_Line]) -> None:
        rows = []
        headed = len(group) > 1 and self._is_rule(group[1])
        for number, line in enumerate(group):
            if self._is_rule(line):
                continue
            tag = "th" if headed and number == 0 else "td"
            cells = "".join(
                f"<{tag}>{self._inline(start, end)}</{tag}>" for start, end in self._cells(line)
            )
            rows.append(f"<tr>{cells}</tr>")
        self._out.append(f'<div class="table" tabindex="0"><table>{"".join(rows)}</table></div>')

    def _is_rule(self, line: _Line) -> bool:
        return _RULE.fullmatch(self._text[line.start : line.end].strip()) is not None

    def _cells(self, line: _Line) -> list[Span]:
        bars = [bar.start() for bar in _BAR.finditer(self._text, line.start, line.end)]
        return [(left + 1, right) for left, right in pairwise(bars)]

    def _list(self, group: list[_Line]) -> None:
        items = []
        for line in group:
            item = _ITEM.match(self._text, line.start, line.end)
            if item is None:
                items.append(f"<br>{self._inline(line.start, line.end)}")
                continue
            depth = min(len(item[1].expandtabs(4)) // 2, 4)
            sign = escape(item[2]) if item[2][0].isdigit() else "•"
            items.append(
                f'</li><li class="depth-{depth}"><span class="sign">{sign}</span> '
                f"{self._inline(item.end(), line.end)}"
            )
        inner = "".join(items).removeprefix("</li>") + "</li>"
        self._out.append(f'<ul class="items">{inner}</ul>')

    def _inline(self, start: int, end: int) -> str:
        """A piece of the text, escaped, with the part of the passage that is in it marked."""
        while start < end and self._text[start].isspace():
            start += 1
        while end > start and self._text[end - 1].isspace():
            end -= 1
        low, high = self._marked or (start, start)
        low, high = max(start, low), min(end, high)
        if low >= high:
            return _plain(self._text[start:end])
        name = "" if self._named else ' id="passage"'
        self._named = True
        before, within, after = (
            _plain(self._text[a:b]) for a, b in ((start, low), (low, high), (high, end))
        )
        return f"{before}<mark{name}>{within}</mark>{after}"


def _plain(text: str) -> str:
    return escape(text.replace("\\|", "|"))
