"""PDFs: paragraphs, headings, tables and pages as a reader sees them; scans are recognised."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from chatapp.errors import DocumentError
from tests.documents import (
    Text,
    blocks,
    lines,
    loaded,
    outline,
    pages,
    write_encrypted_pdf,
    write_pdf,
    write_scanned_pdf,
)

BODY = [
    "Customers may return any unused article within 30 days of",
    "delivery. The label is printed from the account page, and the",
    "parcel costs nothing.",
]


def test_wrapped_lines_are_one_paragraph(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [lines(BODY) + lines(["Gift cards stay."], top=720)])
    assert loaded(path).text == f"{' '.join(BODY)}\n\nGift cards stay."


def test_a_short_last_line_ends_a_paragraph(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [lines([*BODY, *BODY])])
    assert loaded(path).text == f"{' '.join(BODY)}\n\n{' '.join(BODY)}"


def test_larger_letters_are_headings_by_size(tmp_path: Path) -> None:
    sheet = [
        Text(72, 790, "Handbook", 24),
        Text(72, 750, "Returns", 16),
        *lines(BODY, top=720),
        Text(72, 650, "Prices of tents", 16),
        *lines(BODY, top=620),
    ]
    document = loaded(write_pdf(tmp_path / "a.pdf", [sheet]))
    assert outline(document) == [(1, "Handbook"), (2, "Returns"), (2, "Prices of tents")]


def test_bold_lines_that_stand_alone_are_headings(tmp_path: Path) -> None:
    sheet = [
        Text(72, 790, "Returns", 11, bold=True),
        *lines(BODY, top=770),
        Text(72, 700, "Prices", 11, bold=True),
        *lines(BODY, top=680),
    ]
    document = loaded(write_pdf(tmp_path / "a.pdf", [sheet]))
    assert outline(document) == [(1, "Returns"), (1, "Prices")]


def test_bookmarks_say_what_the_headings_are(tmp_path: Path) -> None:
    sheet = [Text(72, 790, "Returns"), *lines(BODY, top=760), Text(72, 700, "BIG", 30)]
    path = write_pdf(tmp_path / "a.pdf", [sheet], bookmarks=[(0, "Returns")])
    assert outline(loaded(path)) == [(1, "Returns")]


def test_aligned_cells_are_a_table_and_wrapped_ones_go_on(tmp_path: Path) -> None:
    rows = [("Article", "Price", "Note"), ("Dome", "EUR 149", "green"), ("Stove", "EUR 80", "red")]
    sheet = [
        Text(x, 700 - at * 14, cell)
        for at, row in enumerate(rows)
        for x, cell in zip((72, 200, 320), row, strict=True)
    ]
    sheet.append(Text(320, 700 - 3 * 14, "or blue"))
    document = loaded(write_pdf(tmp_path / "a.pdf", [[*lines(BODY), *sheet]]))
    assert blocks(document) == [
        "| Article | Price | Note |\n| --- | --- | --- |\n"
        "| Dome | EUR 149 | green |\n| Stove | EUR 80 | red or blue |"
    ]


def test_columns_of_prose_are_read_one_after_the_other(tmp_path: Path) -> None:
    left = [f"left column line {at} of some length" for at in range(6)]
    right = [f"right column line {at} of some length" for at in range(6)]
    sheet = [
        Text(x, 700 - at * 14, words)
        for at, pair in enumerate(zip(left, right, strict=True))
        for x, words in zip((60, 330), pair, strict=True)
    ]
    text = loaded(write_pdf(tmp_path / "a.pdf", [sheet])).text
    assert text == f"{' '.join(left)} {' '.join(right)}"


def test_bullets_become_a_list(tmp_path: Path) -> None:
    sheet = lines(["Never refunded:", "• Gift cards", "• Sleeping bags whose seal is", "broken"])
    document = loaded(write_pdf(tmp_path / "a.pdf", [sheet]))
    assert blocks(document) == ["- Gift cards\n- Sleeping bags whose seal is broken"]


def test_pages_are_kept_and_running_heads_are_not(tmp_path: Path) -> None:
    sheets = [
        [
            Text(72, 820, "Fjell Handbook 2024"),
            *lines([f"What page {name} says about the returns of our articles."]),
            Text(290, 30, f"Page {at} of 4"),
        ]
        for at, name in enumerate(("one", "two", "three", "four"), 1)
    ]
    document = loaded(write_pdf(tmp_path / "a.pdf", sheets))
    assert list(pages(document)) == [
        f"What page {name} says about the returns of our articles."
        for name in ("one", "two", "three", "four")
    ]


def test_an_empty_page_is_counted(tmp_path: Path) -> None:
    document = loaded(write_pdf(tmp_path / "a.pdf", [lines(BODY), [], lines(BODY)]))
    assert len(document.page_starts) == 3
    assert list(pages(document))[1] == ""


def test_the_title_is_the_files_own_unless_a_program_wrote_it(tmp_path: Path) -> None:
    own = write_pdf(tmp_path / "shop_rules.pdf", [lines(BODY)], title="Rules of the shop")
    assert loaded(own).title == "Rules of the shop"
    automatic = write_pdf(own, [lines(BODY)], title="Microsoft Word - x.doc")
    assert loaded(automatic).title == "shop rules"


def test_scanned_pages_are_recognised_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    path = write_scanned_pdf(
        tmp_path / "scan.pdf",
        [
            ["Gift cards are never refunded,", "whatever the reason may be."],
            ["Stoves cost 80 euros."],
        ],
    )
    document = loaded(path)
    assert list(pages(document)) == [
        "Gift cards are never refunded, whatever the reason may be.",
        "Stoves cost 80 euros.",
    ]


def test_a_password_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"locked.pdf is protected by a password"):
        loaded(write_encrypted_pdf(tmp_path / "locked.pdf"))


def test_a_damaged_pdf_is_named(tmp_path: Path) -> None:
    path = tmp_path / "torn.pdf"
    path.write_bytes(b"%PDF-1.7\n" + b"\x00\x01garbage" * 50)
    with pytest.raises(DocumentError, match=r"torn.pdf is damaged"):
        loaded(path)


def test_a_pdf_without_anything_to_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="holds no text"):
        loaded(write_pdf(tmp_path / "blank.pdf", [[]]))
