"""A passage's text as HTML: everything escaped, tables drawn, what supports the answer marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

Spans = Sequence[tuple[int, int]]

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+\Z")
_RULE: Final = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?)?\s*")
_CELL: Final = re.compile(r"(?:\\.|[^|\\])+")
_HEADING: Final = re.compile(r"\s{0,3}#{1,6}\s+")


def passage_html(text: str, spans: Spans = ()) -> str:
    """Paragraphs, headings and tables of ``text``.

    Args:
        spans: (start, end) in ``text`` of what to mark; any order, overlapping or not.
    """
    marked = _merged(spans, len(text))
    out: list[str] = []
    for lines in _blocks(text):
        if len(lines) > 1 and _RULE.fullmatch(text, *lines[1]):
            out.append(_table(text, lines, marked))
        elif len(lines) == 1 and (sign := _HEADING.match(text, *lines[0])):
            out.append(f'<p class="heading">{_shown(text, sign.end(), lines[0][1], marked)}</p>')
        else:
            out.append(f"<p>{_shown(text, lines[0][0], lines[-1][1], marked)}</p>")
    return "".join(out)


def _merged(spans: Spans, length: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(start, 0), min(end, length)) for start, end in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif start < end:
            merged.append((start, end))
    return merged


def _blocks(text: str) -> Iterator[list[tuple[int, int]]]:
    """Lines, without their ends, that belong together: a table, a heading or a paragraph."""
    block: list[tuple[int, int]] = []
    kind = ""
    for match in _LINE.finditer(text):
        line = match[0].strip()
        now = "table" if line.startswith("|") else "heading" if _HEADING.match(line) else "text"
        if block and (not line or now != kind or now == "heading"):
            yield block
            block = []
        if line:
            block.append((match.start(), match.start() + len(match[0].rstrip())))
            kind = now
    if block:
        yield block


def _table(text: str, lines: Sequence[tuple[int, int]], marked: Spans) -> str:
    rows = [
        "".join(f"<{tag}>{cell}</{tag}>" for cell in _cells(text, line, marked))
        for tag, line in [("th", lines[0]), *(("td", line) for line in lines[2:])]
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows[1:])
    return f"<table><thead><tr>{rows[0]}</tr></thead><tbody>{body}</tbody></table>"


def _cells(text: str, line: tuple[int, int], marked: Spans) -> Iterator[str]:
    for cell in _CELL.finditer(text, *line):
        within = cell[0].strip()
        if within or cell.start() > line[0]:  # not the indentation before the first bar
            start = cell.start() + cell[0].index(within)
            yield _shown(text, start, start + len(within), marked)


def _shown(text: str, start: int, end: int, marked: Spans) -> str:
    out: list[str] = []
    at = start
    for first, last in marked:
        first, last = max(first, at), min(last, end)
        if first < last:
            out += [escape(text[at:first]), f"<mark>{escape(text[first:last])}</mark>"]
            at = last
    return "".join([*out, escape(text[at:end])])
