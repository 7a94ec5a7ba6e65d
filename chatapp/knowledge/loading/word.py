"""DOCX: headings by style or outline level, lists, tables and text boxes in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.office_zip import check_office_zip
from chatapp.knowledge.loading.tables import markdown_item, markdown_table

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.styles.style import BaseStyle

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"^(?:heading|überschrift|titre|título|titolo|kop|标题)\s*([1-9])$", re.I)
_LIST_STYLE = re.compile(r"^list (bullet|number|paragraph)", re.IGNORECASE)
_BROKEN = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": "\t", f"{_W}noBreakHyphen": "-"}
_UNSEEN = {f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", _FALLBACK}
_BOX = f"{_W}txbxContent"
_EVERY = 200


def load_word(path: Path, draft: Draft, progress: Progress) -> None:
    """Read a Word document; deleted text of tracked changes is left out.

    Raises:
        DocumentError: a zip bomb or a locked file.
    """
    check_office_zip(path, draft.name)
    from docx import Document

    with path.open("rb") as file:
        document = Document(file)
    draft.title = document.core_properties.title or ""
    body = document.element.body
    _Body(draft, {style.style_id: style for style in document.styles}, progress).read(body)


class _Body:
    """Goes through a document's body; items of a list gather until something else comes."""

    def __init__(self, draft: Draft, styles: dict[str, BaseStyle], progress: Progress) -> None:
        self._draft = draft
        self._levels = {key: _level(style) for key, style in styles.items()}
        self._lists = {key for key, style in styles.items() if _LIST_STYLE.match(style.name or "")}
        self._progress = progress
        self._items: list[str] = []

    def read(self, body: BaseOxmlElement) -> None:
        elements = list(_content(body))
        for done, element in enumerate(elements, 1):
            if element.tag == f"{_W}tbl":
                self._flush()
                self._draft.block(markdown_table(_rows(element)))
            else:
                self._paragraph(element)
            if done % _EVERY == 0:
                self._progress(done, len(elements))
        self._flush()
        self._progress(len(elements), len(elements))

    def _paragraph(self, element: BaseOxmlElement) -> None:
        text = _text(element).strip()
        style = _value(element, f"{_W}pPr/{_W}pStyle") or ""
        outline = _value(element, f"{_W}pPr/{_W}outlineLvl")
        level = int(outline) + 1 if outline and outline.isdecimal() else self._levels.get(style)
        numbered = element.find(f"{_W}pPr/{_W}numPr") is not None or style in self._lists
        if text and level is not None and level <= 9:
            self._flush()
            self._title(level, text)
        elif text and numbered:
            depth = _value(element, f"{_W}pPr/{_W}numPr/{_W}ilvl") or "0"
            self._items.append(markdown_item(text, int(depth) if depth.isdecimal() else 0))
        elif text:
            self._flush()
            self._draft.paragraph(text)
        for box in _boxes(element):
            self._flush()
            self._draft.paragraph("\n".join(filter(None, (_text(p) for p in box.iter(f"{_W}p")))))

    def _title(self, level: int, text: str) -> None:
        """Style Title is level 0: the document's own name, unless its properties say another."""
        if level == 0 and not self._draft.title:
            self._draft.title = text
        self._draft.heading(max(1, level), text)

    def _flush(self) -> None:
        self._draft.block("\n".join(self._items))
        self._items.clear()


def _level(style: BaseStyle) -> int | None:
    """The level of headings of a style, its own or that of a style it is based on; 0 for Title."""
    seen: BaseStyle | None = style
    for _ in range(10):
        if seen is None:
            return None
        name = (seen.name or "").strip()
        found = _HEADING.match(name)
        if found:
            return int(found[1])
        if name.lower() == "title":
            return 0
        outline = _value(seen.element, f"{_W}pPr/{_W}outlineLvl")
        if outline and outline.isdecimal() and int(outline) < 9:
            return int(outline) + 1
        seen = getattr(seen, "base_style", None)
    return None


def _content(element: BaseOxmlElement) -> Iterator[BaseOxmlElement]:
    """Paragraphs and tables, those inside content controls and tracked insertions too."""
    for child in element.iterchildren():
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"):
            yield from _content(child)


def _rows(table: BaseOxmlElement) -> list[list[str]]:
    """Cells by row; one merged over several columns or rows is repeated in each."""
    rows: list[list[str]] = []
    for row in table.iter(f"{_W}tr"):
        if next(row.iterancestors(f"{_W}tbl"), None) is not table:
            continue
        cells: list[str] = []
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tbl"), None) is not table:
                continue
            text = " ".join(filter(None, (_text(p) for p in cell.iter(f"{_W}p"))))
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            if merge is not None and merge.get(f"{_W}val") != "restart":
                above = rows[-1] if rows else []
                text = above[len(cells)] if len(cells) < len(above) else text
            span = _value(cell, f"{_W}tcPr/{_W}gridSpan") or "1"
            cells.extend([text] * (min(int(span), 50) if span.isdecimal() else 1))
        rows.append(cells)
    return rows


def _text(element: BaseOxmlElement) -> str:
    """What a paragraph shows, without its text boxes, which follow it."""
    parts: list[str] = []
    for child in element.iterchildren():
        if child.tag == f"{_W}t":
            parts.append(child.text or "")
        elif child.tag in _BROKEN:
            parts.append(_BROKEN[child.tag])
        elif child.tag not in _UNSEEN and child.tag != _BOX:
            parts.append(_text(child))
    return "".join(parts)


def _boxes(element: BaseOxmlElement) -> Iterator[BaseOxmlElement]:
    for box in element.iter(_BOX):
        if next(box.iterancestors(_FALLBACK), None) is None:
            yield box


def _value(element: BaseOxmlElement, path: str) -> str | None:
    found = element.find(path)
    return None if found is None else found.get(f"{_W}val")
