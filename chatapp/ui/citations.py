"""An answer's text with its citations as links and its unsupported parts marked.

What is drawn here comes from documents, or from a model that has just read some: its tags are
shown and not followed, and its pictures are links, so that no text can make the reader's browser
fetch anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise
from typing import Final, Literal

from chatapp.knowledge_records import Flag, Grounding, Source
from chatapp.ui.markdown import pieces, without_tags
from chatapp.ui.texts import Words

_CITATION: Final = re.compile(r"\[(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\]")
_UNFINISHED: Final = re.compile(r"\[[\d\s,，、]*\Z")
_NUMBER: Final = re.compile(r"\d+")
_PICTURE: Final = re.compile(r"!(?=\[)")
_LINE: Final = re.compile(r"[^\n]+")
_CELL: Final = re.compile(r"[^\n|]+")
_BLOCK_SIGNS: Final = re.compile(r"\s*(?:(?:[-*+]|\d{1,9}[.)]|>|#{1,6})\s+)*")
_WHY: Final[Mapping[Literal["unsupported", "figure"], str]] = {
    "unsupported": "flag_unsupported",
    "figure": "flag_figure",
}


def drawn(text: str, grounding: Grounding, words: Words, *, growing: bool = False) -> str:
    """The answer as Markdown with our own tags in it.

    Args:
        growing: more text will come, so that a citation may stand there half written.
    """
    if growing:
        text = _UNFINISHED.sub("", text)
    edges = _edges(text, grounding.flags, words)
    sources = {source.number: source for source in grounding.sources}
    pictures = grounding.route == "faq"  # of an answer that the team itself has approved

    def prose(start: int, end: int) -> str:
        shown = without_tags(text[start:end])
        if not pictures:
            shown = _PICTURE.sub(r"\\!", shown)
        return _CITATION.sub(lambda match: _links(match, sources, words), shown)

    out: list[str] = []
    for piece in pieces(text):
        inside = [at for at in edges if piece.start < at < piece.end]
        cuts = [piece.start, *sorted(inside), piece.end]
        for start, end in pairwise(cuts):
            out.append(edges.pop(start, ""))
            out.append(text[start:end] if piece.code else prose(start, end))
    return "".join([*out, *edges.values()])


def _links(match: re.Match[str], sources: Mapping[int, Source], words: Words) -> str:
    cited = [sources.get(int(number)) for number in _NUMBER.findall(match[1])]
    return "".join(_link(source, words) for source in cited if source) or match[0]


def _link(source: Source, words: Words) -> str:
    title = " ".join((source.title or source.document).split())
    label = escape(words("source_label", number=source.number, title=title))
    # Inside Markdown, these two could begin a formula.
    label = label.replace("\\", "&#92;").replace("$", "&#36;")
    return (
        f'<a class="cite" href="#source-{source.number}" title="{label}">'
        f"&#91;{source.number}&#93;</a>"
    )


def _edges(text: str, flags: tuple[Flag, ...], words: Words) -> dict[int, str]:
    """Position to the tags that stand there; none is inside code."""
    edges: dict[int, str] = {}
    done = 0
    for flag in sorted(flags, key=lambda one: one.start):
        parts = list(_markable(text, max(flag.start, done), min(flag.end, len(text))))
        for number, (start, end) in enumerate(parts, start=1):
            last = number == len(parts)
            edges[start] = edges.get(start, "") + '<mark class="flag">'
            edges[end] = "</mark>" + (_note(flag, words) if last else "")
        done = max(done, flag.end)
    return edges


def _note(flag: Flag, words: Words) -> str:
    return f'<small class="flag-why">{escape(words(_WHY[flag.reason]))}</small>'


def _markable(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a range that an inline tag can stand around.

    A tag may not reach over the end of a line or of a table's cell, nor begin before a list's
    bullet, nor part a piece of code; blocks of code are left out.
    """
    code = [piece for piece in pieces(text) if piece.code]
    for piece in code:
        if not piece.block and piece.start < start < piece.end:
            start = piece.start
        if not piece.block and piece.start < end < piece.end:
            end = piece.end
    blocks = [piece for piece in code if piece.block]
    for line in _LINE.finditer(text):
        first, last = max(line.start(), start), min(line.end(), end)
        if first >= last or any(block.start < last and first < block.end for block in blocks):
            continue
        if first == line.start():
            first = _signs_end(text, first)
        cells = _CELL if line[0].lstrip().startswith("|") else _LINE
        for cell in cells.finditer(text, first, last):
            shown = cell[0].strip()
            if shown:
                begins = cell.start() + cell[0].index(shown)
                yield begins, begins + len(shown)


def _signs_end(text: str, at: int) -> int:
    match = _BLOCK_SIGNS.match(text, at)
    return match.end() if match else at
