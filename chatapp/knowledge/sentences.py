"""Where sentences begin and end, in documents and in text that is still being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["sentence", "item", "row", "heading"]
Span = tuple[int, int]

CITATION: Final = re.compile(r"\s?\[\d{1,3}(?:\s*[,，、]\s*\d{1,3})*\]")
"""``[1]`` or ``[1, 2]``, with the space in front of it."""

_HALF_CITATION: Final = re.compile(r"\[[\d\s,，、]*")
_CLOSERS: Final = "[\"'”’»*_）)」』】]*"
_STOP: Final = re.compile(
    rf"(?:(?P<western>[.!?…]+){_CLOSERS}|(?P<wide>[。！？｡]+){_CLOSERS})"
    r"(?P<cited>(?:\s?\[\d{1,3}(?:\s*[,，、]\s*\d{1,3})*\])*)"
)
_WORD_BEFORE: Final = re.compile(r"[\w.]+\Z")
_NEXT: Final = re.compile(r"\s+(\S)")
_SHORT: Final = (
    "mr mrs ms dr prof st vs etc eg ie e.g i.e approx incl excl max min ca tel fig sec art no nr "
    "inc ltd co corp jan feb mar apr jun jul aug sep sept oct nov dec z.b d.h u.a bzw ggf inkl "
    "zzgl mind str abs evtl p.ex par av env tél núm sr sra ej pág aprox dott sig ecc p.es "
    "т.е т.д т.п др руб тел ул"
)
_ABBREVIATIONS: Final = frozenset(_SHORT.split())
_GERMAN_MONTH: Final = re.compile(
    r"\s+(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)", re.IGNORECASE
)
_LINE: Final = re.compile(r"[^\n]+")
_ITEM: Final = re.compile(r"\s*(?:[-*+•·‣◦]|\(?\d{1,3}[.)、]|[a-z][.)])\s+")
_ROW: Final = re.compile(r"\s*\|.*\|\s*")
_RULE: Final = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?)?\s*")
_HEADING: Final = re.compile(r"\s{0,3}#{1,6}\s+")
_CJK: Final = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef"
_FOLD: Final = re.compile(rf"(?<=[{_CJK}])\s*\n\s*(?=[{_CJK}])")


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a document that can be quoted by itself, in characters of its text.

    Attributes:
        kind: a sentence of running text or the first of a list's item, a row of a table, or a
            heading.
        block: counts paragraphs, lists and tables: units of one block stand together.
    """

    start: int
    end: int
    kind: Kind
    block: int


def units(text: str) -> list[Unit]:
    """The sentences, list items, rows and headings of a document's text, in order.

    Lines that were only wrapped, as those of a PDF are, do not end a sentence.
    """
    found: list[Unit] = []
    for block, (kind, start, end) in _blocks(text):
        if kind in ("row", "heading"):
            found.append(Unit(start, end, kind, block))
            continue
        for number, (first, last) in enumerate(_split(text, start, end)):
            found.append(Unit(first, last, kind if number == 0 else "sentence", block))
    return found


def on_one_line(text: str, unit: Unit) -> str:
    """A unit of ``text`` as it can be quoted; a table's row as ``Column: value`` pairs."""
    if unit.kind != "row":
        return flowing(text[unit.start : unit.end])
    header = _table_header(text, unit)
    names = _cells(header) if header else []
    values = _cells(text[unit.start : unit.end])
    if len(names) != len(values):
        return " · ".join(value for value in values if value)
    pairs = zip(names, values, strict=True)
    return " · ".join(f"{name}: {value}" if name else value for name, value in pairs if value)


def complete(text: str) -> list[int]:
    """Where the sentences that are surely complete end in text that is still being written.

    What follows a sentence has to have begun, as its citation may stand behind its full stop.
    A line's end counts as a sentence's.
    """
    ends: list[int] = []
    for line in _LINE.finditer(text):
        start, end = line.span()
        ends += [last for last in _stops(text, start, end) if _is_sure(text, last)]
        after = text[end:]
        if after.strip() and (not ends or ends[-1] < end):
            ends.append(end)
    return ends


def _is_sure(text: str, end: int) -> bool:
    """Whether what follows has begun, and is not the beginning of a citation."""
    after = text[end:].lstrip()
    return bool(after) and _HALF_CITATION.fullmatch(after) is None


def flowing(text: str) -> str:
    """The text on one line."""
    return " ".join(_FOLD.sub("", text).split())


def _table_header(text: str, row: Unit) -> str | None:
    """The header of the table that ``row`` is in; None where the table has none here."""
    above: str | None = None
    header: str | None = None
    for line in _LINE.finditer(text):
        if line.end() > row.start:
            break
        if _RULE.fullmatch(line[0]):
            header = above
        elif not _ROW.fullmatch(line[0]):
            header = None
        above = line[0]
    return header


def _cells(row: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", row.strip().strip("|"))
    return [flowing(cell.replace("\\|", "|")) for cell in cells]


def _blocks(text: str) -> Iterator[tuple[int, tuple[Kind, int, int]]]:
    """Pieces that no sentence reaches out of, with the number of their block."""
    lines = [match.span() for match in _LINE.finditer(text)]
    longest = max((end - start for start, end in lines), default=0)
    block, at = 0, 0
    while at < len(lines):
        start, end = lines[at]
        line = text[start:end]
        gap = at > 0 and "\n\n" in text[lines[at - 1][1] : start].replace(" ", "")
        at += 1
        if gap:
            block += 1
        if not line.strip() or _RULE.fullmatch(line):
            continue
        if _ROW.fullmatch(line):
            if not _is_header(text, lines, at):
                yield block, ("row", start, end)
            continue
        if heading := _HEADING.match(line):
            yield block, ("heading", start + heading.end(), end)
            block += 1
            continue
        item = _ITEM.match(line)
        kind: Kind = "item" if item else "sentence"
        start += item.end() if item else 0
        while at < len(lines) and _wraps(text, lines[at - 1], lines[at], longest):
            end = lines[at][1]
            at += 1
        if kind == "sentence" and _is_title(text, start, end, lines, at):
            yield block, ("heading", start, end)
            continue
        yield block, (kind, start, end)


def _is_header(text: str, lines: list[Span], at: int) -> bool:
    """Whether the line before ``lines[at]`` is the header of a table."""
    return at < len(lines) and bool(_RULE.fullmatch(text[slice(*lines[at])]))


def _is_title(text: str, start: int, end: int, lines: list[Span], at: int) -> bool:
    """Whether a line of running text is rather a heading: short, and not a sentence."""
    line = text[start:end].strip()
    if len(line) > 60 or "\n" in line or line.endswith((".", "!", "?", ":", ";", *"。！？：；…")):
        return False
    words = len(line.split()) + len(re.findall(f"[{_CJK}]", line)) // 2
    return words <= 8 and at < len(lines) and not any(sign.isdigit() for sign in line)


def _wraps(text: str, line: Span, following: Span, longest: int) -> bool:
    """Whether a sentence may go on in the next line: this one is about as long as lines get."""
    between = text[line[1] : following[0]]
    after = text[slice(*following)]
    if between.count("\n") != 1 or not after.strip():
        return False
    if _ROW.fullmatch(after) or _HEADING.match(after) or _ITEM.match(after):
        return False
    before = text[slice(*line)].rstrip()
    if after.lstrip()[0].islower():
        return True
    wide = sum(2 if ord(sign) > 0x2E80 else 1 for sign in before)
    return wide >= 40 and line[1] - line[0] >= 0.7 * longest


def _split(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentences between two places, without the space around them."""
    first = start
    for last in [*_stops(text, start, end), end]:
        piece = text[first:last]
        if piece.strip():
            begin = first + len(piece) - len(piece.lstrip())
            yield begin, first + len(piece.rstrip())
        first = last


def _stops(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences end inside a stretch of running text."""
    for match in _STOP.finditer(text, start, end):
        if match["wide"] or _is_stop(text, start, end, match):
            yield match.end()


def _is_stop(text: str, start: int, end: int, match: re.Match[str]) -> bool:
    following = _NEXT.match(text, match.end(), end)
    if following is None:
        return match.end() == end  # inside a word, a number or an address, unless nothing follows
    if match["western"] != ".":
        return not (match["western"][0] in "…." and following[1].islower())
    word = _WORD_BEFORE.search(text, start, match.start())
    if word is None:
        return True
    before = word[0].lower()
    if before.isdigit() and (word.start() == start or _GERMAN_MONTH.match(text, match.end())):
        return False
    initial = len(before) == 1 and before.isalpha()
    if before in _ABBREVIATIONS or initial:
        # "No. 5" goes on, "…, no. We…" does not; "etc." may end a sentence.
        return before in ("no", "etc", "min", "max") and following[1].isupper()
    return not following[1].islower()
