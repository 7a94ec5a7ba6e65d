"""HTML, Markdown, plain text, tables, JSON and mail; and files that are none of them."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

import pytest

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.delimited import delimiter_of
from chatapp.knowledge.loading.draft import Draft
from tests.documents import Text, all_loaded, blocks, loaded, outline, write_pdf

PAGE = """<!DOCTYPE html><html><head><title>Fjell: returns</title><style>p {}</style></head><body>
<header><a href="/">Home</a> <a href="/cart">Cart</a></header>
<nav><ul><li>Shop</li><li>Blog</li></ul></nav>
<div class="cookie-banner">We use cookies.</div>
<main><h1>Returns</h1><p>Within <b>30</b> days,<br>unused.</p><script>track()</script>
<h2>By post</h2><ol><li>Print the label<ul><li>in colour</li></ul></li><li>Close it</li></ol>
<table><tr><th>Article</th><th colspan="2">Price</th></tr>
<tr><td rowspan="2">Dome</td><td>149</td><td>new</td></tr><tr><td>99</td><td>used</td></tr></table>
<dl><dt>Label</dt><dd>What you stick on the parcel.</dd></dl>
<details><summary>May I return a tent?</summary>Yes, at 70 %.</details>
<p hidden>Hidden words</p><p style="display: none">More of them</p></main>
<footer>© Fjell</footer></body></html>"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- HTML and Markdown -------------------------------------------------------------------------
def test_of_a_page_its_content_is_read(tmp_path: Path) -> None:
    page = loaded(write(tmp_path, "a.html", PAGE))
    assert page.title == "Fjell: returns"
    assert outline(page) == [
        (1, "Returns"),
        (2, "By post"),
        (5, "Label"),
        (4, "May I return a tent?"),
    ]
    assert blocks(page) == [
        "1. Print the label\n  - in colour\n2. Close it",
        "| Article | Price | Price |\n| --- | --- | --- |\n"
        "| Dome | 149 | new |\n| Dome | 99 | used |",
    ]
    assert "Within 30 days,\nunused." in page.text
    for noise in ("Home", "Blog", "cookies", "track", "Hidden", "More of", "©"):
        assert noise not in page.text


def test_a_page_without_main_loses_only_what_frames_it(tmp_path: Path) -> None:
    page = "<html><body><div class='menu'>Shop</div><div id='toc-page'>" + "words " * 50
    text = loaded(write(tmp_path, "a.html", page)).text
    assert "Shop" not in text
    assert text.count("words") == 50


def test_a_page_says_its_encoding(tmp_path: Path) -> None:
    page = "<html><head><meta charset='gb2312'></head><body><p>三十天内可以退货。</p>"
    assert "三十天内可以退货。" in loaded(write(tmp_path, "a.html", page.encode("gb2312"))).text


def test_layout_tables_are_no_tables(tmp_path: Path) -> None:
    page = "<html><table><tr><td><h2>Returns</h2><p>Within 30 days.</p></td></tr></table></html>"
    document = loaded(write(tmp_path, "a.html", page))
    assert outline(document) == [(2, "Returns")]
    assert blocks(document) == []


def test_markdown_is_read_as_the_page_it_becomes(tmp_path: Path) -> None:
    text = """---
title: "Shop handbook"
---
# Returns

Within **30** days, see [the rules](https://fjell.example).

```
# no heading
```

| Article | Price |
|---|---|
| Dome | 149 |

- one
- two
"""
    document = loaded(write(tmp_path, "a.md", text))
    assert document.title == "Shop handbook"
    assert document.kind == "markdown"
    assert outline(document) == [(1, "Returns")]
    assert "Within 30 days, see the rules." in document.text
    assert blocks(document) == [
        "# no heading",
        "| Article | Price |\n| --- | --- |\n| Dome | 149 |",
        "- one\n- two",
    ]


def test_markdown_without_front_matter_is_called_by_its_first_heading(tmp_path: Path) -> None:
    assert loaded(write(tmp_path, "a.md", "# Our shop\n\nHello there.")).title == "Our shop"


# ---- text and its encodings --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Grüße aus dem Laden", "utf-8"),
        ("Grüße aus dem Laden", "utf-8-sig"),
        ("Grüße aus dem Laden", "utf-16"),
        ("Returns within 30 days.", "utf-16-le"),
        ("Rückgabe innerhalb von 30 Tagen für Käufer außerhalb Münchens.", "latin-1"),
        ("The price is 20 € – “no more”, he said, and left the café.", "cp1252"),
        ("顾客可以在三十天内退货，退款会在五个工作日内到账。", "gb18030"),
        ("退货请联系客服。", "gbk"),
        ("Возврат товара возможен в течение тридцати дней после покупки в магазине.", "cp1251"),
        ("商品の返品は三十日以内にお願いします。送料はお客様の負担となります。", "shift_jis"),
    ],
)
def test_encodings_are_found(tmp_path: Path, text: str, encoding: str) -> None:
    assert loaded(write(tmp_path, "a.txt", text.encode(encoding))).text == text


def test_text_is_cleaned_of_what_cannot_be_stored(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "one\u00a0two\u00ad\x07 three\r\n\r\n\r\n\r\nﬁve  \r\nsix")
    assert loaded(path).text == "one two three\n\nfive\nsix"


def test_underlined_lines_are_headings_and_items_a_list(tmp_path: Path) -> None:
    text = "Returns\n=======\nWithin 30 days.\n\n1. Print\n2. Close\n\nPrices\n------\nLow."
    document = loaded(write(tmp_path, "a.txt", text))
    assert outline(document) == [(1, "Returns"), (2, "Prices")]
    assert blocks(document) == ["1. Print\n2. Close"]


# ---- tables ------------------------------------------------------------------------------------
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_tables_are_read_whatever_divides_them(tmp_path: Path, delimiter: str) -> None:
    rows = [["article", "price", "empty"], ["Dome, green; new", "149,50", ""]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    document = loaded(write(tmp_path, "a.csv", text))
    assert "| Dome, green; new | 149,50 |  |" in document.text
    assert document.kind == "csv"


def test_commas_within_sentences_divide_nothing() -> None:
    assert delimiter_of("question;answer\nWell, then?;Yes, of course, do\nSo?;No") == ";"


# ---- JSON --------------------------------------------------------------------------------------
def test_rows_with_id_and_text_are_documents(tmp_path: Path) -> None:
    rows = [
        {"id": "r1", "title": "Returns", "text": "Within 30 days.", "tags": ["post"]},
        {"id": 2, "text": "第一段。\n\n第二段。"},
    ]
    lines = "\n\n".join(json.dumps(row) for row in rows)
    for path in (write(tmp_path, "a.jsonl", lines), write(tmp_path, "a.json", json.dumps(rows))):
        one, two = all_loaded(path)
        assert (one.name, one.title, one.text, one.tags) == (
            "r1",
            "Returns",
            "Within 30 days.",
            ("post",),
        )
        assert (two.name, two.title, two.kind) == ("2", "2", "row")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{no", "a.jsonl, line 2, column 2, is not JSON"),
        ("[1]", "a.jsonl, line 2, is not an object"),
        ('{"text": "x y z"}', "a.jsonl, line 2, has no id"),
        ('{"id": "b", "text": " "}', "a.jsonl, line 2, has no text"),
        ('{"id": "a", "text": "again"}', "line 2, has the id 'a' that line 1 has already"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, line: str, sentence: str) -> None:
    path = write(tmp_path, "a.jsonl", '{"id": "a", "text": "good"}\n' + line)
    with pytest.raises(DocumentError, match=sentence):
        all_loaded(path)


def test_other_json_becomes_readable(tmp_path: Path) -> None:
    value = {
        "shop": "Fjell",
        "Returns": {"days": 30, "steps": ["Print", "Close"]},
        "Prices": [{"article": "Dome", "price": 149}, {"article": "Stove", "price": 80}],
    }
    document = loaded(write(tmp_path, "a.json", json.dumps(value)))
    assert outline(document) == [(1, "Returns"), (1, "Prices")]
    assert blocks(document) == [
        "steps:\n- Print\n- Close",
        "| article | price |\n| --- | --- |\n| Dome | 149 |\n| Stove | 80 |",
    ]
    assert document.text.startswith("shop: Fjell\n\nReturns\n\ndays: 30")


def test_json_nested_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="nested too deeply"):
        all_loaded(write(tmp_path, "a.json", "[" * 100_000))


# ---- mail --------------------------------------------------------------------------------------
def test_a_mail_is_read_with_what_is_attached(tmp_path: Path) -> None:
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "Earlier question", "eva@example.com"
    inner.set_content("Is the dome green?")
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "退货", "shop@example.com", "eva@example.com"
    mail.set_content("Plain words.")
    mail.add_alternative("<html><body><p>Within <b>30</b> days.</p></body></html>", subtype="html")
    mail.add_attachment("# Prices\n\nDome: 149", subtype="markdown", filename="prices.md")
    pdf = write_pdf(tmp_path / "x.pdf", [[Text(72, 700, "The stove costs 80 euros.")]])
    mail.add_attachment(
        pdf.read_bytes(), maintype="application", subtype="pdf", filename="stove.pdf"
    )
    mail.add_attachment(b"\x89PNG\r\n", maintype="image", subtype="png", filename="photo.png")
    mail.add_attachment(inner)

    document = loaded(write(tmp_path, "a.eml", mail.as_bytes()))
    assert document.title == "退货"
    assert outline(document) == [
        (1, "退货"),
        (1, "prices.md"),
        (2, "Prices"),
        (1, "stove.pdf"),
        (1, "photo.png"),
        (1, "Earlier question"),
    ]
    for part in ("Within 30 days.", "From: shop@", "The stove costs", "Is the dome green?"):
        assert part in document.text
    assert "(photo.png is a PNG image, which cannot be read." in document.text


# ---- what it is --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.pdf", b"just words", "a.pdf is not a PDF file, although its name ends in .pdf"),
        ("a.txt", b" \n\t", "a.txt is empty"),
        ("a.txt", b"", "a.txt is empty"),
        ("a.txt", b"\x89PNG\r\n\x1a\n", "a.txt is a PNG image"),
        ("a.txt", b"abc\0\0\0def\0\1\2", "a.txt is of a kind that is not known"),
        ("a.docx", b"PK\x03\x04torn", "a.docx is damaged"),
        ("a.md", b"--- ... !!! ---", "a.md holds no text"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    with pytest.raises(DocumentError, match=sentence):
        all_loaded(write(tmp_path, name, content))


def test_content_decides_against_a_wrong_ending(tmp_path: Path) -> None:
    pdf = write_pdf(tmp_path / "a.docx", [[Text(72, 700, "The stove costs 80 euros.")]])
    assert loaded(pdf).kind == "pdf"
    assert loaded(write(tmp_path, "a.txt", PAGE)).kind == "html"
    assert loaded(write(tmp_path, "export.xls", PAGE)).kind == "html"


def test_a_text_too_long_to_split_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.knowledge.loading.draft.LONGEST_TEXT", 1_000)
    draft = Draft("long.txt")
    draft.paragraph("ten letters " * 80)
    with pytest.raises(DocumentError, match=r"long.txt holds more than"):
        draft.paragraph("ten letters " * 80)


def test_a_huge_text_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.write(b"words " * 20_000)
        file.truncate(200 * 1024**2)  # a hole in the file: it takes no room on the disk
    with pytest.raises(DocumentError, match=r"huge.txt holds more than 20 million characters"):
        loaded(path)
