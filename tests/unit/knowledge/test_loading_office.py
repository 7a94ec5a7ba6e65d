"""Word, PowerPoint and Excel: structure kept, bombs and locked files refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.workbook import shown_number
from tests.documents import blocks, loaded, outline, pages, write_bomb


def test_word_headings_lists_and_tables(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "Shop handbook"
    document.add_heading("Returns", 1)
    document.add_paragraph("Within 30 days.")
    document.add_heading("By post", 2)
    for item in ("Print the label", "Close the parcel"):
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Article", "Price", "Dome", "149"), strict=True):
        cell.text = text
    document.add_paragraph("Afterwards.")
    document.save(str(tmp_path / "a.docx"))

    read = loaded(tmp_path / "a.docx")
    assert read.title == "Shop handbook"
    assert read.kind == "docx"
    assert outline(read) == [(1, "Returns"), (2, "By post")]
    assert blocks(read) == [
        "- Print the label\n- Close the parcel",
        "| Article | Price |\n| --- | --- |\n| Dome | 149 |",
    ]
    assert read.text.endswith("Afterwards.")


def test_a_style_based_on_a_heading_is_a_heading(tmp_path: Path) -> None:
    document = docx.Document()
    style = document.styles.add_style("Chapter of ours", 1)
    style.base_style = document.styles["Heading 2"]
    document.add_paragraph("Prices", style=style)
    document.add_paragraph("The dome costs 149 euros.")
    document.save(str(tmp_path / "a.docx"))
    assert outline(loaded(tmp_path / "a.docx")) == [(2, "Prices")]


def test_merged_cells_are_repeated(tmp_path: Path) -> None:
    document = docx.Document()
    table = document.add_table(rows=3, cols=2)
    for cell, text in zip(table._cells, ("Kind", "Price", "Tent", "149", "", "329"), strict=True):
        cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    document.save(str(tmp_path / "a.docx"))
    assert "| Tent | 149 |\n| Tent | 329 |" in loaded(tmp_path / "a.docx").text


def test_tracked_changes_show_what_stands_now(tmp_path: Path) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Returns within ")
    paragraph._p.append(
        parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>14 days</w:delText></w:r></w:del>")
    )
    paragraph._p.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>30 days</w:t></w:r></w:ins>"))
    document.save(str(tmp_path / "a.docx"))
    assert loaded(tmp_path / "a.docx").text == "Returns within 30 days"


def test_slides_are_pages_with_titles_tables_charts_and_notes(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    one = deck.slides.add_slide(deck.slide_layouts[1])
    one.shapes.title.text = "Returns"
    frame = one.placeholders[1].text_frame
    frame.text = "Within 30 days"
    below = frame.add_paragraph()
    below.text, below.level = "Unused only", 1
    one.notes_slide.notes_text_frame.text = "Mention the label."
    two = deck.slides.add_slide(deck.slide_layouts[5])
    two.shapes.title.text = "Prices"
    table = two.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for at, text in enumerate(("Article", "Price", "Dome", "149")):
        table.cell(at // 2, at % 2).text = text
    numbers = CategoryChartData()
    numbers.categories = ["May", "June"]
    numbers.add_series("Sold", (12, 30.5))
    two.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(2), numbers
    )
    hidden = deck.slides.add_slide(deck.slide_layouts[5])
    hidden.shapes.title.text = "Draft"
    hidden.element.set("show", "0")
    deck.save(str(tmp_path / "a.pptx"))

    read = loaded(tmp_path / "a.pptx")
    assert outline(read) == [(2, "Returns"), (2, "Prices")]
    assert read.title == "Returns"
    first, second, third = pages(read)
    assert first == "Returns\n\n- Within 30 days\n  - Unused only\n\nMention the label."
    assert "| Dome | 149 |" in second
    assert "| June | 30.5 |" in second
    assert third == ""


def test_sheets_are_pages_with_tables_as_they_are_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    sheet["A1"] = "All prices with tax"
    sheet.append(["Article", "Price", "Since", "Left"])
    sheet.append(["Dome | 3", 149, datetime.date(2024, 5, 1), 12])
    sheet["B3"].number_format = '"€"#,##0.00'
    sheet.append([])
    sheet.append(["Code", "Rebate"])
    sheet.append(["CLUB10", 0.1])
    sheet["B6"].number_format = "0%"
    secret = book.create_sheet("Margins")
    secret["A1"] = "secret"
    secret.sheet_state = "hidden"
    book.create_sheet("Hours").append(["Monday", "closed"])
    book.save(tmp_path / "a.xlsx")

    read = loaded(tmp_path / "a.xlsx")
    assert outline(read) == [(1, "Prices"), (1, "Hours")]
    assert "All prices with tax\n\n| Article" in read.text
    assert "| Dome \\| 3 | €149.00 | 2024-05-01 | 12 |" in read.text
    assert "| CLUB10 | 10% |" in read.text
    assert "secret" not in read.text
    assert [
        page.startswith(name)
        for page, name in zip(pages(read), ("Prices", "", "Hours"), strict=True)
    ] == [True, True, True]


@pytest.mark.parametrize(
    ("value", "shape", "shown"),
    [
        (3, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
        (19.9, "[$$-409]#,##0.00", "$19.90"),
        (0.125, "0.0%", "12.5%"),
        (7, "0", "7"),
        (1234.5, "¥#,##0", "¥1,234"),
    ],
)
def test_numbers_look_as_in_the_sheet(value: float, shape: str, shown: str) -> None:
    assert shown_number(value, shape) == shown


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    for name, part in (("a.docx", "word/document.xml"), ("a.xlsx", "xl/workbook.xml")):
        with pytest.raises(DocumentError, match=f"{name} would unpack to 70 MB.*zip bomb"):
            loaded(write_bomb(tmp_path / name, part))


def test_a_document_under_another_ending_is_read_as_what_it_is(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Really a Word file.")
    document.save(str(tmp_path / "a.pdf"))
    assert loaded(tmp_path / "a.pdf").kind == "docx"


def test_damaged_and_locked_office_files_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "text"
    book.save(tmp_path / "whole.xlsx")
    torn = tmp_path / "torn.xlsx"
    torn.write_bytes((tmp_path / "whole.xlsx").read_bytes()[:2_000])
    with pytest.raises(DocumentError, match=r"torn.xlsx is damaged"):
        loaded(torn)
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    )
    with pytest.raises(DocumentError, match=r"locked.xlsx is protected by a password"):
        loaded(locked)
    old = tmp_path / "old.doc"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(DocumentError, match=r"old binary Office file.*Save it as DOCX"):
        loaded(old)
