"""Documents into passages: as long as allowed, broken where a reader would break.

A document is cut into pieces that stay whole (paragraphs, sentences, rows of tables), and these
are put together into passages so that breaks fall where they hurt least: at headings and blank
lines rather than between sentences, and so that passages are of even length. Where to break is
found over all ways at once, as TeX breaks paragraphs into lines (Knuth and Plass, "Breaking
Paragraphs into Lines", 1981).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from chatapp.knowledge.languages import language_of
from chatapp.knowledge.pieces import Begins, Piece, PieceCutter
from chatapp.knowledge_records import LoadedDocument, NewPassage

_OWN_PAGES = ("pptx", "xlsx")
"""Kinds whose pages (slides, sheets) stand for themselves: no passage goes across them."""

_BLANK_LINE = re.compile(r"\n\s*\n\s*\Z")
_GAP = 20
"""Characters before a page in which its blank line is looked for."""

_HARD_LEVEL = 2
"""Nor does it across a heading of this level or above."""

_BREAK_BEFORE: dict[Begins, float] = {
    "heading": -0.6,
    "paragraph": 0.05,
    "block": 0.05,
    "row": 0.15,
    "sentence": 0.35,
}
_CUT_OFF = 2.0
# What breaking costs: by what begins after the break, and where a heading or a line that ends in
# a colon is cut off from what it announces. To this comes for each passage the squared share of
# it that stays empty: two halves cost 0.5 together, so a lower heading breaks between two halves
# of a passage (-0.6), but not between two shorter parts.


def split(
    document: LoadedDocument, count_tokens: Callable[[str], int], max_tokens: int = 200
) -> list[NewPassage]:
    """Split a document into passages of at most ``max_tokens``.

    A passage's text is ``document.text[start:end]``; where a table goes on from the passage
    before, its header is repeated above that. Headings are no part of the text where they are
    part of the passage's heading path. The language is that of the passage, or that of the
    document where the passage does not tell.
    """
    cutter = PieceCutter(document, count_tokens, max_tokens)
    outline = _Outline(document)
    usual = language_of(document.text)
    passages: list[NewPassage] = []
    for start, end in outline.sections():
        pieces = list(cutter.cut(start, end))
        if outline.is_only_above(pieces):
            continue
        groups = _groups(document.text, pieces, max_tokens)
        passages.extend(outline.passage(group, usual) for group in groups)
    return passages


def _groups(text: str, pieces: Sequence[Piece], most: int) -> list[Sequence[Piece]]:
    """The pieces as passages at the least cost."""
    costs, begins = [0.0], [0]
    for end in range(1, len(pieces) + 1):
        best, best_start, tokens = float("inf"), end - 1, 0
        for start in range(end - 1, -1, -1):
            tokens += pieces[start].tokens
            whole = tokens + pieces[start].header_tokens
            if start < end - 1 and tokens > most:
                break
            if start < end - 1 and whole > most:
                continue
            cost = costs[start] + _break(text, pieces, start) + (max(0, 1 - whole / most)) ** 2
            if cost < best:
                best, best_start = cost, start
        costs.append(best)
        begins.append(best_start)
    groups: list[Sequence[Piece]] = []
    end = len(pieces)
    while end:
        groups.append(pieces[begins[end] : end])
        end = begins[end]
    return groups[::-1]


def _break(text: str, pieces: Sequence[Piece], at: int) -> float:
    """What a break before the piece costs."""
    if at == 0:
        return 0.0
    before = pieces[at - 1]
    announces = before.begins == "heading" or text[before.end - 1] in ":："
    return _BREAK_BEFORE[pieces[at].begins] + (_CUT_OFF if announces else 0.0)


class _Outline:
    """A document's headings and pages: what is above a place, and where sections end."""

    def __init__(self, document: LoadedDocument) -> None:
        self._document = document
        self._starts = [heading.start for heading in document.headings]
        self._paths: list[tuple[str, ...]] = []
        above: list[tuple[int, str]] = []
        for heading in document.headings:
            above = [one for one in above if one[0] < heading.level]
            above.append((heading.level, heading.text))
            self._paths.append(tuple(text for _, text in above))

    def sections(self) -> Iterator[tuple[int, int]]:
        """(start, end) of what no passage may leave."""
        document = self._document
        breaks = {0, len(document.text)}
        breaks.update(one.start for one in document.headings if one.level <= _HARD_LEVEL)
        own = document.kind in _OWN_PAGES
        breaks.update(at for at in document.page_starts if own or self._begins_anew(at))
        places = sorted(breaks)
        yield from pairwise(places)

    def _begins_anew(self, at: int) -> bool:
        """Whether a page begins with a paragraph of its own: a passage across it could be cited
        with one page only. A paragraph that goes on, or that a heading announces, is not cut off.
        """
        text = self._document.text
        if not _BLANK_LINE.search(text, max(0, at - _GAP), at):
            return False
        last = bisect_left(self._starts, at) - 1
        if last < 0:
            return True
        heading = self._document.headings[last]
        return bool(text[heading.start + len(heading.text) : at].strip())

    def is_only_above(self, pieces: Sequence[Piece]) -> bool:
        """Whether pieces are but headings of what follows, whose paths they are part of."""
        if any(piece.begins != "heading" for piece in pieces):
            return False
        if not pieces:
            return True
        last = bisect_left(self._starts, pieces[-1].start)
        headings = self._document.headings[last : last + 2]
        return len(headings) == 2 and headings[1].level > headings[0].level

    def passage(self, group: Sequence[Piece], language: str) -> NewPassage:
        """The passage that pieces make."""
        path = self._path(group)
        first = 0
        while first < len(group) - 1 and self._is_in(group[first], path):
            first += 1
        start, end = group[first].start, group[-1].end
        text = self._document.text[start:end]
        header = group[first].header
        return NewPassage(
            text=f"{header}\n{text}" if header else text,
            heading=path,
            page=self._page(start),
            start=start,
            end=end,
            language=language_of(text) or language,
        )

    def _path(self, group: Sequence[Piece]) -> tuple[str, ...]:
        """What all of its text has above it; for headings alone what is above these."""
        paths = [self._above(piece.start) for piece in group if piece.begins != "heading"]
        if not paths:
            return self._above(group[0].start)[:-1]
        shared = paths[0]
        while any(path[: len(shared)] != shared for path in paths):
            shared = shared[:-1]
        return shared

    def _above(self, place: int) -> tuple[str, ...]:
        at = bisect_right(self._starts, place) - 1
        return self._paths[at] if at >= 0 else ()

    def _is_in(self, piece: Piece, path: tuple[str, ...]) -> bool:
        if piece.begins != "heading":
            return False
        own = self._above(piece.start)
        return path[: len(own)] == own

    def _page(self, place: int) -> int | None:
        return bisect_right(self._document.page_starts, place) or None
