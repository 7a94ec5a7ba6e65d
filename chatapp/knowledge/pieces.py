"""Text into pieces that stay whole: paragraphs, sentences, blocks, rows of tables, items of lists.

Sentences are found with LangChain's ``RecursiveCharacterTextSplitter``, whose chunks keep every
character, so that each piece knows exactly where it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from langchain_text_splitters import RecursiveCharacterTextSplitter

from chatapp.knowledge_records import LoadedDocument

Begins = Literal["heading", "paragraph", "block", "row", "sentence"]

_SENTENCES = [
    r"\n",
    # Full stops between words end a sentence when no small letter follows ("e.g. this" goes on).
    r"[。！？；…]+[”’」』）】]*|"
    r"(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bNo)(?<!\bNr)(?<!\bSt)(?<!\bca)"
    r"[.!?]+[\"'”’»)\]]*\s+(?=[^a-zà-ÿ\s])",
]
_CLAUSES = [r"[，、：,;:]\s*", r"\s+", ""]
_FINEST = 8
"""Sentences are put together up to this part of a passage: short ones say little alone."""

_SURELY_LONG = 12
"""Letters that no token has on average: such text needs no counting to be known as too long."""
_USUAL_LETTERS = 4
_RULE = re.compile(r"^\|(?: ?:?-+:? ?\|)+$")
_INDENTED = re.compile(r"^(?:\s{2,}|\t)")
_GAPS = re.compile(r"\n\s*\n")
_CACHED = 8_192


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of a document that is not divided.

    Attributes:
        begins: what begins with it.
        header: of the table whose row it is, to be repeated before it; empty for other pieces and
            for the first row, which stands below its header anyway.
    """

    start: int
    end: int
    tokens: int
    begins: Begins
    header: str = ""
    header_tokens: int = 0


class PieceCutter:
    """Cuts a document into pieces of at most ``max_tokens``."""

    def __init__(
        self, document: LoadedDocument, count_tokens: Callable[[str], int], max_tokens: int
    ) -> None:
        self._document = document
        self._text = document.text
        self._max = max_tokens
        self._headings = [heading.start for heading in document.headings]
        self._blocks = [start for start, _ in document.blocks]

        @lru_cache(maxsize=_CACHED)
        def counted(text: str) -> int:
            if len(text) > _SURELY_LONG * max_tokens:
                return len(text) // _USUAL_LETTERS
            return count_tokens(text)

        self._count = counted
        self._sentences = self._splitter(_SENTENCES, max(1, max_tokens // _FINEST))
        self._clauses = self._splitter(_CLAUSES, max_tokens)

    def cut(self, start: int, end: int) -> Iterator[Piece]:
        """The pieces between two places, in order."""
        at = start
        for begin, stop, is_heading in self._marked(start, end):
            yield from self._prose(at, begin)
            if is_heading:
                yield self._piece(begin, stop, "heading")
            else:
                yield from self._block(begin, stop)
            at = stop
        yield from self._prose(at, end)

    def _marked(self, start: int, end: int) -> list[tuple[int, int, bool]]:
        """Headings and blocks between two places: (start, end, whether it is a heading)."""
        first, last = bisect_left(self._headings, start), bisect_left(self._headings, end)
        headings = self._document.headings[first:last]
        first, last = bisect_left(self._blocks, start), bisect_left(self._blocks, end)
        blocks = self._document.blocks[first:last]
        return sorted(
            [
                *((one.start, one.start + len(one.text), True) for one in headings),
                *((begin, min(stop, end), False) for begin, stop in blocks),
            ]
        )

    def _prose(self, start: int, end: int) -> Iterator[Piece]:
        at = start
        for gap in _GAPS.finditer(self._text, start, end):
            yield from self._paragraph(at, gap.start())
            at = gap.end()
        yield from self._paragraph(at, end)

    def _paragraph(self, start: int, end: int, begins: Begins = "paragraph") -> Iterator[Piece]:
        """A paragraph, or its sentences where it is too long, or parts of these."""
        start, end = self._trimmed(start, end)
        if start >= end:
            return
        if self._count(self._text[start:end]) <= self._max:
            yield self._piece(start, end, begins)
            return
        at = start
        for sentence in self._sentences.split_text(self._text[start:end]):
            parts = [sentence]
            if self._count(sentence) > self._max:
                parts = self._clauses.split_text(sentence)
            for part in parts:
                inner = self._trimmed(at, at + len(part))
                if inner[0] < inner[1]:
                    yield self._piece(*inner, begins if at == start else "sentence")
                at += len(part)

    def _block(self, start: int, end: int) -> Iterator[Piece]:
        """A block, or where it is too long its lines, each with the header of its table."""
        if self._count(self._text[start:end]) <= self._max:
            yield self._piece(start, end, "block")
            return
        lines = list(self._lines(start, end))
        header_end = lines[1][1] if len(lines) > 2 and self._is_rule(*lines[1]) else start
        header = self._text[start:header_end]
        tokens = self._count(header) if header else 0
        if tokens > self._max // 2:
            header, tokens = "", 0
        for number, (begin, stop) in enumerate(lines):
            if number < 2 and header_end > start:
                continue
            first = start if number == 2 and header_end > start else begin
            if tokens + self._count(self._text[begin:stop]) > self._max:
                yield from self._paragraph(first, stop, "row")
            elif first == start:
                yield self._piece(start, stop, "block")
            else:
                nested = _INDENTED.match(self._text, begin) is not None
                piece = self._piece(begin, stop, "sentence" if nested else "row")
                yield Piece(begin, stop, piece.tokens, piece.begins, header, tokens)

    def _lines(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        at = start
        while at < end:
            stop = self._text.find("\n", at, end)
            stop = end if stop < 0 else stop
            if self._text[at:stop].strip():
                yield at, stop
            at = stop + 1

    def _is_rule(self, start: int, end: int) -> bool:
        return _RULE.match(self._text[start:end]) is not None

    def _piece(self, start: int, end: int, begins: Begins) -> Piece:
        return Piece(start, end, max(1, self._count(self._text[start:end])), begins)

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        part = self._text[start:end]
        return start + len(part) - len(part.lstrip()), start + len(part.rstrip())

    def _splitter(self, separators: list[str], size: int) -> RecursiveCharacterTextSplitter:
        return RecursiveCharacterTextSplitter(
            separators=separators,
            is_separator_regex=True,
            keep_separator="end",
            strip_whitespace=False,
            chunk_size=size,
            chunk_overlap=0,
            length_function=self._count,
        )
