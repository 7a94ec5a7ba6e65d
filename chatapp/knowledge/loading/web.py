"""HTML: what a reader of the page came for, without menus, banners and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.tables import markdown_item, markdown_table
from chatapp.knowledge.loading.text_bytes import decode

_NEVER = {
    *("script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "canvas"),
    *("head", "button", "select", "input", "textarea", "dialog", "audio", "video", "map"),
}
_AROUND = {"nav", "footer", "aside"}
_AROUND_ROLES = {"navigation", "banner", "contentinfo", "search", "complementary", "menu"}
_AROUND_WORDS = re.compile(
    r"(^|[-_ ])(nav|navbar|menu|breadcrumbs?|cookies?|consent|sidebar|pagination|skip-?link|"
    r"share|social|newsletter|toc|footer|masthead)($|[-_ ])",
    re.IGNORECASE,
)
_LARGE_PART = 0.3
"""Share of the page's text from which on an element is its content, whatever its class says."""
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = {"ul", "ol", "menu"}
_BREAKING = {
    *("p", "div", "section", "article", "main", "header", "footer", "nav", "aside", "blockquote"),
    *("figure", "figcaption", "form", "fieldset", "address", "details", "summary", "center"),
    *("table", "tbody", "thead", "tr", "td", "th", "caption", "dl", "dt", "dd", "li", "hr"),
    *("body", "html", "pre", *_LISTS, *_HEADINGS),
}
_SUMMARY_LEVEL = 4
_MOST_SPAN = 50
_DECLARED = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([A-Za-z0-9_\-]{2,20})""", re.I)


def load_web(path: Path, draft: Draft, progress: Progress) -> None:
    """Read an HTML page.

    Headings, paragraphs, lists, tables and preformatted text are kept; navigation, banners,
    scripts, forms and what is hidden are not. Of a page with one ``main`` only that is read.
    """
    content = path.read_bytes()
    add_html(_decoded(content), draft)
    progress(1, 1)


def add_html(markup: str, draft: Draft, *, whole: bool = False) -> None:
    """Add a page to a draft; ``whole`` keeps what looks like menus and banners as well."""
    soup = BeautifulSoup(markup, "lxml")
    if not draft.title and soup.title is not None:
        draft.title = soup.title.get_text(" ")
    root: Tag = soup.body or soup
    if not whole:
        root = _content(root)
    _Walk(draft, whole=whole, size=len(root.get_text())).into(root)


def _decoded(content: bytes) -> str:
    declared = _DECLARED.search(content[:4096])
    if declared:
        # Some pages name an encoding that there is not, or that is not theirs.
        with suppress(LookupError, UnicodeDecodeError):
            return content.decode(declared[1].decode("ascii"))
    return decode(content)


def _content(body: Tag) -> Tag:
    """The one element that holds what the page is about, or the whole body."""
    candidates = (
        body.find_all("main", limit=2),
        body.find_all(role="main", limit=2),
        body.find_all("article", limit=2),
    )
    for found in candidates:
        if len(found) == 1 and len(found[0].get_text()) > _LARGE_PART * len(body.get_text()):
            return found[0]
    return body


class _Walk:
    """Goes through a page in reading order; inline text gathers until a block begins or ends."""

    def __init__(self, draft: Draft, *, whole: bool, size: int) -> None:
        self._draft = draft
        self._whole = whole
        self._size = size
        self._inline: list[str] = []

    def into(self, element: Tag) -> None:
        """Add what an element holds."""
        for child in element.children:
            if isinstance(child, Tag):
                self._tag(child)
            elif type(child) is NavigableString:  # comments and the like are of its subclasses
                self._inline.append(str(child))
        if element.name in _BREAKING or element.parent is None:
            self._flush()

    def _tag(self, tag: Tag) -> None:
        if self._skipped(tag):
            return
        name = tag.name
        if name == "br":
            self._inline.append("\v")
        elif name not in _BREAKING:
            self.into(tag)
        else:
            self._flush()
            self._block(tag)

    def _block(self, tag: Tag) -> None:
        name = tag.name
        if name in _HEADINGS:
            self._draft.heading(_HEADINGS[name], tag.get_text(" "))
        elif name == "summary":
            self._draft.heading(_SUMMARY_LEVEL, tag.get_text(" "))
        elif name == "pre":
            self._draft.block(tag.get_text())
        elif name in _LISTS and not _holds_blocks(tag):
            self._draft.block("\n".join(self._items(tag, 0)))
        elif name == "table" and not _is_layout(tag):
            self._table(tag)
        elif name == "dl":
            self._definitions(tag)
        else:
            self.into(tag)

    def _flush(self) -> None:
        text = "".join(self._inline)
        self._inline.clear()
        lines = (" ".join(line.split()) for line in text.split("\v"))
        self._draft.paragraph("\n".join(line for line in lines if line))

    def _skipped(self, tag: Tag) -> bool:
        if tag.name in _NEVER or tag.has_attr("hidden"):
            return True
        if "display:none" in _attribute(tag, "style").replace(" ", "").lower():
            return True
        if self._whole:
            return False
        if tag.name == "header" and tag.parent is not None and tag.parent.name == "body":
            return tag.find("h1") is None
        if tag.name in _AROUND or _attribute(tag, "role").lower() in _AROUND_ROLES:
            return True
        if _attribute(tag, "aria-hidden").lower() == "true" or tag.name not in _BREAKING:
            return _attribute(tag, "aria-hidden").lower() == "true"
        named = f"{_attribute(tag, 'class')} {_attribute(tag, 'id')}"
        return bool(_AROUND_WORDS.search(named)) and (
            len(tag.get_text()) < _LARGE_PART * self._size
        )

    def _items(self, element: Tag, level: int) -> Iterator[str]:
        for number, item in enumerate(element.find_all("li", recursive=False), 1):
            inner = [child for child in item.find_all(_LISTS) if child.find_parent("li") is item]
            for child in inner:
                child.extract()
            text = self._text(item)
            if text:
                yield markdown_item(text, level, number if element.name == "ol" else None)
            for child in inner:
                yield from self._items(child, level + 1)

    def _table(self, table: Tag) -> None:
        caption = table.find("caption", recursive=False)
        if isinstance(caption, Tag):
            self._draft.paragraph(caption.get_text(" "))
        self._draft.block(markdown_table(self._rows(table)))

    def _rows(self, table: Tag) -> list[list[str]]:
        """Cells by row, a cell that spans several repeated in each: every row can be read alone."""
        rows: list[list[str]] = []
        hanging: dict[int, tuple[int, str]] = {}
        for tag in table.find_all("tr"):
            row: list[str] = []
            cells = iter(tag.find_all(["td", "th"], recursive=False))
            while True:
                left, text = hanging.get(len(row), (0, ""))
                if left:
                    hanging[len(row)] = (left - 1, text)
                    row.append(text)
                    continue
                cell = next(cells, None)
                if cell is None:
                    break
                text, down = self._text(cell), _span(cell, "rowspan")
                for _ in range(_span(cell, "colspan")):
                    hanging[len(row)] = (down - 1, text)
                    row.append(text)
            rows.append(row)
        return rows

    def _definitions(self, element: Tag) -> None:
        for child in element.find_all(["dt", "dd"]):
            text = self._text(child)
            if child.name == "dt":
                self._draft.heading(5, text)
            else:
                self._draft.paragraph(text)

    def _text(self, element: Tag) -> str:
        parts = [
            str(text)
            for text in element.descendants
            if type(text) is NavigableString and not _inside(text, element)
        ]
        return " ".join(" ".join(parts).split())


def _inside(text: NavigableString, root: Tag) -> bool:
    """Whether text stands in a script or the like below an element."""
    for parent in text.parents:
        if parent is root:
            return False
        if parent.name in _NEVER:
            return True
    return False


def _holds_blocks(tag: Tag) -> bool:
    """Lists of cards and tables are no lists to a reader."""
    return tag.find(["table", "pre", *_HEADINGS]) is not None


def _is_layout(table: Tag) -> bool:
    """Tables that only place things: nested ones, ones with headings, ones of one cell a row."""
    if table.find(["table", *_HEADINGS]) is not None:
        return True
    return all(len(row.find_all(["td", "th"])) < 2 for row in table.find_all("tr"))


def _span(cell: Tag, attribute: str) -> int:
    value = _attribute(cell, attribute)
    return max(1, min(int(value), _MOST_SPAN)) if value.isdecimal() else 1


def _attribute(tag: Tag, name: str) -> str:
    value = tag.get(name)
    return value if isinstance(value, str) else " ".join(value or ())
