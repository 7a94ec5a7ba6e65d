"""PDF: its letters where it has them, otherwise what a picture of the page shows."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.kinds import damaged, protected
from chatapp.knowledge.loading.ocr import LONGEST_SIDE, read_picture
from chatapp.knowledge.loading.page_flow import Bookmark, Page, add_pages
from chatapp.knowledge.loading.page_lines import Cell, Line

if TYPE_CHECKING:
    import pypdfium2

_FEWEST_LETTERS = 16
"""Letters below which a page with pictures is read as one: scans often carry a page number."""
_LEGIBLE = 0.7
"""Share of letters below which a page's text is noise: its fonts do not say what they draw."""
_WIDE_GAP = 0.7
"""Gap between two letters, in heights of them, from which on another cell of a table begins."""
_FINEST = 300 / 72
"""Pixels to a point beyond which small pages gain nothing."""
_HYPHENS = ("\x02", "\ufffe")
_WORD = re.compile(r"[^\s\0\x02\ufffe]+")
"""Between words PDFium itself writes spaces, so only their ends need to be looked at."""
_BOLD = 600
_ARTIFACTS = ("microsoft word", "untitled", "powerpoint", ".doc", ".ppt", ".indd", ".tex", ".qxd")


def load_pdf(path: Path, draft: Draft, progress: Progress) -> None:
    """Read a PDF page by page; pages without text are recognised from their picture.

    Raises:
        DocumentError: it is damaged, or opens with a password only.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower() or "security" in str(error).lower()
        raise (protected if locked else damaged)(draft.name) from None
    try:
        draft.title = _title(pdf)
        pages = []
        for done in range(len(pdf)):
            pages.append(_page(pdf, done))
            progress(done + 1, len(pdf))
        add_pages(draft, pages, _bookmarks(pdf))
    finally:
        pdf.close()


def _title(pdf: pypdfium2.PdfDocument) -> str:
    """What the properties say, unless a program wrote it there."""
    title = str(pdf.get_metadata_value("Title"))
    return "" if any(mark in title.lower() for mark in _ARTIFACTS) else title


def _bookmarks(pdf: pypdfium2.PdfDocument) -> list[Bookmark]:
    found = []
    for bookmark in pdf.get_toc(max_depth=6):
        target = bookmark.get_dest()
        page = None if target is None else target.get_index()
        if page is not None:
            found.append(Bookmark(page, bookmark.level + 1, str(bookmark.get_title())))
    return found


def _page(pdf: pypdfium2.PdfDocument, number: int) -> Page:
    """One page; a broken one is empty and the others are still read."""
    import pypdfium2

    try:
        page = pdf[number]
    except pypdfium2.PdfiumError:
        return Page(())
    try:
        text = page.get_textpage()
        lines = list(_lines(text))
        text.close()
        if _is_text(lines) or not _is_drawn(page):
            return Page(tuple(lines))
        return Page(tuple(_recognised(page)) or tuple(lines), scanned=True)
    finally:
        page.close()


def _is_text(lines: list[Line]) -> bool:
    letters = [letter for line in lines for letter in line.text if not letter.isspace()]
    legible = sum(unicodedata.category(letter)[0] in "LNPS" for letter in letters)
    odd = letters.count("\ufffd")
    return len(letters) >= _FEWEST_LETTERS and legible - odd >= _LEGIBLE * len(letters)


def _is_drawn(page: pypdfium2.PdfPage) -> bool:
    """Whether anything but letters is on the page."""
    from pypdfium2.raw import FPDF_PAGEOBJ_TEXT

    return any(one.type != FPDF_PAGEOBJ_TEXT for one in page.get_objects(max_depth=2))


def _recognised(page: pypdfium2.PdfPage) -> list[Line]:
    scale = min(LONGEST_SIDE / max(*page.get_size(), 1.0), _FINEST)
    bitmap = page.render(scale=scale, rev_byteorder=False, force_bitmap_format=_bgr())
    picture = np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
    bitmap.close()
    return read_picture(picture, 1 / scale)


def _bgr() -> int:
    from pypdfium2.raw import FPDFBitmap_BGR

    return int(FPDFBitmap_BGR)


def _lines(text: pypdfium2.PdfTextPage) -> Iterator[Line]:
    letters = _letters(text)
    place = _Place(text)
    start = 0
    for end in (*(at for at, letter in enumerate(letters) if letter in "\r\n"), len(letters)):
        line = place.line(letters[start:end], start)
        if line is not None:
            yield line
        start = end + 1


def _letters(text: pypdfium2.PdfTextPage) -> str:
    """A page's letters, one for each index that PDFium knows them by."""
    from pypdfium2.raw import FPDFText_GetUnicode

    count = text.count_chars()
    letters = str(text.get_text_range()) if count else ""
    if len(letters) == count and "\ufffe" not in letters:
        return letters
    codes = (int(FPDFText_GetUnicode(text, at)) for at in range(count))
    return "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)


class _Place:
    """Where the letters of a page stand."""

    def __init__(self, text: pypdfium2.PdfTextPage) -> None:
        import pypdfium2.raw as raw

        self._raw = raw
        self._text = text
        self._box = raw.FS_RECTF()

    def line(self, letters: str, start: int) -> Line | None:
        """The line that begins at this index; None if nothing of it is seen."""
        cells: list[Cell] = []
        words: list[str] = []
        left = right = 0.0
        edges: list[tuple[float, float]] = []
        for word in _WORD.finditer(letters):
            first = self._bounds(start + word.start())
            last = self._bounds(start + word.end() - 1)
            height = max(first[3] - first[2], 0.1)
            if words and first[0] - right > _WIDE_GAP * height:
                cells.append(Cell(" ".join(words), left, right))
                words = []
            left = left if words else first[0]
            words.append(word[0])
            right = last[1]
            edges.extend((first[2:], last[2:]))
        if not words:
            return None
        cells.append(Cell(" ".join(words), left, right))
        heights = sorted(top - bottom for bottom, top in edges)
        return Line(
            cells=tuple(cells),
            top=max(top for _, top in edges),
            bottom=min(bottom for bottom, _ in edges),
            size=heights[len(heights) // 2],
            bold=self._is_bold(letters, start),
            broken=letters.rstrip("\0 ")[-1:] in _HYPHENS,
        )

    def _bounds(self, index: int) -> tuple[float, float, float, float]:
        """A letter's (left, right, bottom, top), in points from the lower left corner."""
        box = self._box
        self._raw.FPDFText_GetLooseCharBox(self._text, index, ctypes.byref(box))
        return box.left, box.right, box.bottom, box.top

    def _is_bold(self, letters: str, start: int) -> bool:
        """Whether its first and last letters are heavy, by weight or by the font's name."""
        words = [word.span() for word in _WORD.finditer(letters)]
        return all(self._is_heavy(start + at) for at in (words[0][0], words[-1][1] - 1))

    def _is_heavy(self, index: int) -> bool:
        if self._raw.FPDFText_GetFontWeight(self._text, index) >= _BOLD:
            return True
        name = ctypes.create_string_buffer(128)
        flags = ctypes.c_int()
        self._raw.FPDFText_GetFontInfo(self._text, index, name, 128, ctypes.byref(flags))
        return b"bold" in name.value.lower() or b"black" in name.value.lower()
