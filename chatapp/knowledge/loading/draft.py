"""A document while it is read: text grows at its end, and headings, pages and blocks note where."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path, PurePosixPath

from chatapp.errors import DocumentError
from chatapp.knowledge_records import Heading, LoadedDocument

Progress = Callable[[int, int], None]
"""Called with pages (slides, sheets, rows) done and their total; 0 when that is unknown."""

LONGEST_TEXT = 20_000_000
"""Characters of one document: some ten thousand pages. More is refused, as it must fit in memory
here and in the process that splits it."""

_LONGEST_HEADING = 200
_MARKS = 3
"""Letters or digits below which a document holds nothing to find."""

_REPLACED = {
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009", " "),
    **dict.fromkeys("\u200a\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u2028\u2029\u0085\x0b\x0c", "\n"),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    **{"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"},
    **{chr(code): "" for code in (*range(0x00, 0x09), *range(0x0E, 0x20), 0x7F)},
}
_TABLE = str.maketrans(_REPLACED)
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n*")
_LINE_ENDS = re.compile(r"[ \t]+$", re.MULTILINE)


class Draft:
    """One document in the making.

    Attributes:
        name: the document's key; every error names it.
        title: what the file itself says its title is; empty until something does.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = ""
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._pages: list[int] = []
        self._blocks: list[tuple[int, int]] = []
        self._new_pages = 0

    def page(self) -> None:
        """What is added from now on stands on the next page (slide, sheet)."""
        self._new_pages += 1

    def heading(self, level: int, text: str) -> None:
        """Add a heading of level 1 (outermost) to 6, on a line of its own."""
        line = " ".join(clean(text).split())[:_LONGEST_HEADING].strip()
        if line:
            start = self._add(line)
            self._headings.append(Heading(start=start, level=max(1, min(level, 6)), text=line))

    def paragraph(self, text: str, *, continues: bool = False) -> None:
        """Add prose; one that ``continues`` goes on with the paragraph before, past a page."""
        text = clean(text).strip()
        if text:
            self._add(text, _between(self._last(), text) if continues else "\n\n")

    def block(self, text: str) -> None:
        """Add a table, a list or code, which is to stay whole where it fits."""
        text = clean(text).strip("\n")
        if text.strip():
            start = self._add(text)
            self._blocks.append((start, start + len(text)))

    def include(self, other: LoadedDocument, levels: int) -> None:
        """Add what was read elsewhere, its headings that many levels deeper, without its pages."""
        start = self._add(other.text)
        self._headings.extend(
            Heading(start=start + below.start, level=min(below.level + levels, 6), text=below.text)
            for below in other.headings
        )
        self._blocks.extend((start + begin, start + end) for begin, end in other.blocks)

    def finish(self, kind: str, tags: tuple[str, ...] = ()) -> LoadedDocument:
        """The document as it stands.

        Raises:
            DocumentError: it holds no text.
        """
        text = "".join(self._parts)
        if len(list(islice(filter(str.isalnum, text), _MARKS))) < _MARKS:
            raise DocumentError(f"{self.name} holds no text that could be read.", file=self.name)
        self._pages.extend([len(text)] * self._new_pages)
        return LoadedDocument(
            name=self.name,
            title=self._title(),
            kind=kind,
            text=text,
            headings=tuple(self._headings),
            page_starts=tuple(self._pages),
            blocks=tuple(self._blocks),
            tags=tags,
        )

    def _title(self) -> str:
        title = " ".join(clean(self.title).split())[:_LONGEST_HEADING]
        return title or readable_name(self.name)

    def _add(self, text: str, gap: str = "\n\n") -> int:
        """Append and return where it starts."""
        if self._length:
            self._parts.append(gap)
            self._length += len(gap)
        # The first page begins at 0 even where the text before it is a stray line.
        while self._new_pages:
            self._pages.append(self._length if self._pages else 0)
            self._new_pages -= 1
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise too_long(self.name)
        return start

    def _last(self) -> str:
        return self._parts[-1] if self._parts else ""


def too_long(name: str) -> DocumentError:
    """The error for more text than one document may hold."""
    return DocumentError(
        f"{name} holds more than {LONGEST_TEXT // 1_000_000} million characters of text. Split it "
        "into several files.",
        file=name,
    )


def clean(text: str) -> str:
    """Text as it can be stored and shown: no control characters, odd spaces or ligatures, line
    ends of one kind, at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TABLE)
    text = _SURROGATES.sub("\ufffd", text)
    return _BLANK_LINES.sub("\n\n", _LINE_ENDS.sub("", text))


def joined(lines: list[str]) -> str:
    """Lines of one paragraph as one: no space where Chinese or Japanese is wrapped."""
    text = ""
    for line in lines:
        text += _between(text, line) + line if text else line
    return text


def readable_name(name: str) -> str:
    """A title made of a file's name: ``shop/return_policy.pdf`` → ``return policy``."""
    stem = PurePosixPath(Path(name).name).stem
    return " ".join(stem.replace("_", " ").replace("-", " ").split()) or name


def _between(before: str, after: str) -> str:
    wide = before[-1:] >= "\u2e80" and after[:1] >= "\u2e80" and not _is_hangul(after[:1])
    return "" if wide else " "


def _is_hangul(letter: str) -> bool:
    return "\uac00" <= letter <= "\ud7a3"
