"""A document's text as HTML."""

from __future__ import annotations

import re

from chatapp.api.document_html import PART, document_html, parts
from chatapp.knowledge_records import Heading

TEXT = """Returns
Unused tents within 30 days.
Keep the receipt.

| Item | Price |
| --- | --- |
| Tent <b> | 100 \\| 120 |

- Dry it
  - inside
1. Pack it"""


def drawn(text: str, marked: tuple[int, int] | None = None, **changes: object) -> str:
    options: dict[str, object] = {
        "part": (0, len(text)),
        "marked": marked,
        "page_label": "Page {n}",
    }
    headings = [Heading(start=0, level=1, text="Returns")] if text is TEXT else []
    return document_html(text, headings, changes.pop("page_starts", ()), **(options | changes))  # type: ignore[arg-type]


def span_of(piece: str, text: str = TEXT) -> tuple[int, int]:
    start = text.index(piece)
    return start, start + len(piece)


def test_headings_tables_lists_and_paragraphs_become_elements() -> None:
    html = drawn(TEXT)
    assert '<h2 id="h-0">Returns</h2>' in html
    assert "<p>Unused tents within 30 days.<br>Keep the receipt.</p>" in html
    assert "<tr><th>Item</th><th>Price</th></tr>" in html
    assert "<tr><td>Tent &lt;b&gt;</td><td>100 | 120</td></tr>" in html
    assert "---" not in html
    assert '<li class="depth-0"><span class="sign">•</span> Dry it</li>' in html
    assert '<li class="depth-1"><span class="sign">•</span> inside</li>' in html
    assert '<span class="sign">1.</span> Pack it</li></ul>' in html


def test_the_passage_is_marked_exactly_and_named_once() -> None:
    html = drawn(TEXT, span_of("tents within 30 days.\nKeep"))
    assert 'Unused <mark id="passage">tents within 30 days.</mark><br><mark>Keep</mark> the' in html


def test_a_passage_in_a_table_marks_its_cells() -> None:
    html = drawn(TEXT, span_of("| Tent <b> | 100 \\| 120 |"))
    assert '<td><mark id="passage">Tent &lt;b&gt;</mark></td>' in html
    assert "<td><mark>100 | 120</mark></td>" in html


def test_nothing_in_a_document_becomes_markup() -> None:
    nasty = "<script>alert(1)</script>\n\n| <img src=x onerror=y> |\n- <a href=javascript:z>\n\"'&"
    html = document_html(
        f"<i>\n{nasty}",
        [Heading(start=0, level=1, text="<i>")],
        (0,),
        part=(0, len(nasty) + 4),
        marked=(4, 20),
        page_label="<u>{n}</u>",
    )
    allowed = r"</?(p|br|h2|div|table|tr|td|ul|li|span|mark)( (id|class|tabindex)=\"[\w -]+\")*>"
    assert "<" not in re.sub(allowed, "", html)


def test_pages_begin_where_they_begin() -> None:
    html = drawn("one\n\ntwo\n\nthree", page_starts=(0, 5, 10))
    assert html.index("Page 1") < html.index("one") < html.index("Page 2") < html.index("two")
    assert 'id="page-3"' in html


def test_a_long_text_is_cut_at_line_ends_and_loses_nothing() -> None:
    text = "".join(f"line {number} of the text\n" for number in range(40_000))
    cuts = parts(text)
    assert len(cuts) > 2
    assert "".join(text[start:end] for start, end in cuts) == text
    assert all(text[end - 1] == "\n" for _, end in cuts)
    assert all(end - start <= PART * 1.25 for start, end in cuts)
    assert parts("") == [(0, 0)]
    unbroken = "x" * (PART * 3)
    assert "".join(unbroken[start:end] for start, end in parts(unbroken)) == unbroken


def test_a_part_knows_its_page() -> None:
    text = "one\n\ntwo\n\nthree"
    html = drawn(text, page_starts=(0, 5, 10), part=(10, len(text)))
    assert html.startswith('<p class="page" id="page-3">Page 3</p>')
    assert "two" not in html
