"""What the document viewer shows: a header, then the PDF or the text, the passage marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from chatapp.api.document_html import document_html, parts
from chatapp.api.page import Language, page
from chatapp.knowledge_records import Document, LoadedDocument, Passage

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "app_name": ("Support assistant", "支持助手"),
    "download": ("Download", "下载"),
    "as_text": ("Read as text", "以文本阅读"),
    "as_pdf": ("Show the PDF", "显示 PDF"),
    "cited": ("Cited passage", "引用的段落"),
    "page": ("Page {n}", "第 {n} 页"),
    "slide": ("Slide {n}", "第 {n} 张"),
    "sheet": ("Sheet {n}", "工作表 {n}"),
    "pages": ("{n} pages", "共 {n} 页"),
    "pages_one": ("1 page", "共 1 页"),
    "slides": ("{n} slides", "共 {n} 张"),
    "slides_one": ("1 slide", "共 1 张"),
    "sheets": ("{n} sheets", "共 {n} 个工作表"),
    "sheets_one": ("1 sheet", "共 1 个工作表"),
    "changed": (
        "The passage that was cited is no longer in this document: it has changed since.",
        "引用的段落已不在此文档中：文档后来有改动。",
    ),
    "part": ("Part {n} of {of}", "第 {n} 部分，共 {of} 部分"),
    "previous": ("Previous part", "上一部分"),
    "next": ("Next part", "下一部分"),
    "no_pdf": ("This browser does not show PDFs in a page.", "此浏览器无法在页面中显示 PDF。"),
    "gone": ("Not here", "找不到文档"),
    "gone_why": (
        "There is no such document. It may have been deleted or replaced by a newer one.",
        "没有这个文档，它可能已被删除或被新版本替换。",
    ),
    "back": ("Back to the chat", "返回对话"),
}
_BLANK_LINES: Final = re.compile(r"\n\s*\n")
_PAGED: Final[Mapping[str, str]] = {"pptx": "slide", "xlsx": "sheet"}


@dataclass(frozen=True, slots=True)
class Opened:
    """What the viewer shows.

    Attributes:
        passage: the one that was asked for.
        lost: whether one was asked for that is not in the document any more.
    """

    document: Document
    passage: Passage | None
    lost: bool
    is_pdf: bool
    has_original: bool


def document_page(shown: Opened, body: str, language: Language, *, as_text: bool) -> Response:
    """The whole page around ``body``, which ``pdf_body`` or ``text_body`` made."""
    note = f'<p class="note" role="status">{_say("changed", language)}</p>' if shown.lost else ""
    return page(
        shown.document.title or shown.document.name,
        _header(shown, language, as_text=as_text) + note + body,
        language,
        kind="reader",
    )


def _header(shown: Opened, language: Language, *, as_text: bool) -> str:
    document = shown.document
    facts = [document.name if document.name != document.title else ""]
    if document.pages:
        unit = _PAGED.get(document.kind, "page")
        ending = "s_one" if document.pages == 1 else "s"
        facts.append(_say(unit + ending, language, n=document.pages))
    links = []
    address = f"/documents/{quote(document.id, safe='')}"
    if shown.is_pdf:
        at = f"passage={shown.passage.id}" if shown.passage else ""
        other = f"{address}?{at}" if as_text else f"{address}?view=text&amp;{at}"
        links.append(f'<a href="{other}">{_say("as_pdf" if as_text else "as_text", language)}</a>')
    if shown.has_original:
        links.append(f'<a href="{address}/file" download>{_say("download", language)}</a>')
    return (
        '<header><a class="brand" href="/"><span class="mark" aria-hidden="true"></span>'
        f'<span>{_say("app_name", language)}</span></a><div class="about">'
        f"<h1>{escape(document.title or document.name)}</h1>"
        f"<p>{escape(' · '.join(fact for fact in facts if fact))}</p></div>"
        f"<nav>{''.join(links)}</nav></header>"
    )


def pdf_body(shown: Opened, language: Language) -> str:
    """The browser's own PDF viewer at the passage's page, and the passage above it."""
    number = (shown.passage.page if shown.passage else None) or 1
    address = f"/documents/{quote(shown.document.id, safe='')}"
    quoted = ""
    if shown.passage is not None:
        quoted_text = _BLANK_LINES.sub("\n", shown.passage.text)
        place = " › ".join([*shown.passage.heading, _say("page", language, n=number)])
        quoted = (
            f'<details class="cited" open><summary>{_say("cited", language)} · {escape(place)}'
            f"</summary><blockquote>{escape(quoted_text)}</blockquote></details>"
        )
    return (
        f'<main class="pdf">{quoted}<object data="{address}/file#page={number}" data-original '
        f'type="application/pdf" aria-label="{escape(shown.document.title)}">'
        f'<p>{_say("no_pdf", language)} <a href="{address}?view=text'
        f'{f"&amp;passage={shown.passage.id}" if shown.passage else ""}">'
        f"{_say('as_text', language)}</a> · "
        f'<a href="{address}/file">{_say("download", language)}</a></p></object></main>'
    )


def text_body(shown: Opened, loaded: LoadedDocument, number: int | None, language: Language) -> str:
    """The text; of a long one part ``number`` from 0, or where that is None the passage's."""
    passage = shown.passage
    cut = parts(loaded.text)
    if number is None or not 0 <= number < len(cut):
        start = passage.start if passage else 0
        number = next((n for n, (_, end) in enumerate(cut) if start < end), 0)
    body = document_html(
        loaded.text,
        loaded.headings,
        loaded.page_starts,
        part=cut[number],
        marked=(passage.start, passage.end) if passage else None,
        page_label=_say(_PAGED.get(loaded.kind, "page"), language, n="{n}"),
    )
    turns = _turns(shown, number, len(cut), language) if len(cut) > 1 else ""
    return f"<main>{turns}<article>{body}</article>{turns}</main>"


def _turns(shown: Opened, number: int, of: int, language: Language) -> str:
    address = f"/documents/{quote(shown.document.id, safe='')}?view=text&amp;part="

    def turn(to: int, key: str) -> str:
        if not 0 <= to < of:
            return "<span></span>"
        return f'<a href="{address}{to + 1}">{_say(key, language)}</a>'

    here = _say("part", language, n=number + 1, of=of)
    return (
        f'<nav class="turns">{turn(number - 1, "previous")}<span>{here}</span>'
        f"{turn(number + 1, 'next')}</nav>"
    )


def gone_page(language: Language) -> Response:
    """There is no such document, or this reader may not know of it."""
    body = (
        '<main><p class="brand"><span class="mark" aria-hidden="true"></span>'
        f"{_say('app_name', language)}</p><h1>{_say('gone', language)}</h1>"
        f"<p>{_say('gone_why', language)}</p>"
        f'<p><a href="/">{_say("back", language)}</a></p></main>'
    )
    return page(_say("gone", language), body, language, status=404)


def _say(key: str, language: Language, **facts: str | int) -> str:
    text = _TEXTS[key][0 if language == "en" else 1]
    return text.format(**facts) if facts else text
