"""Markdown: CommonMark with tables, read as the page it would become."""

from __future__ import annotations

import re
from pathlib import Path

from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.text_bytes import read_text
from chatapp.knowledge.loading.web import add_html

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
_FIRST_HEADING = re.compile(r"\A\s*#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


def load_markdown(path: Path, draft: Draft, progress: Progress) -> None:
    """Read a Markdown file; of its front matter only ``title`` is taken."""
    add_markdown(read_text(path, draft.name), draft)
    progress(1, 1)


def add_markdown(text: str, draft: Draft) -> None:
    """Add Markdown to a draft."""
    from markdown_it import MarkdownIt

    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    front = _FRONT.match(text)
    if front:
        title = _TITLE.search(front[1])
        draft.title = draft.title or (title[1] if title else "")
        text = text[front.end() :]
    first = _FIRST_HEADING.match(text)
    if first and not draft.title:
        draft.title = first[1]
    page = MarkdownIt("commonmark").enable("table").render(text)
    add_html(page, draft, whole=True)
