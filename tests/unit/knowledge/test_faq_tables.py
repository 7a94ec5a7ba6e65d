"""Tables of questions: every format in and out, and errors that name the row and the column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from chatapp.errors import DocumentError, InvalidRequest
from chatapp.knowledge import faq_tables
from chatapp.knowledge.faq_export import write_faqs
from chatapp.knowledge.faq_tables import read_faqs
from chatapp.knowledge_records import FaqEntry, NewFaq

RETURNS = "Within 60 days, unworn."
ROWS = [
    NewFaq(question="How do I return it?", answer=RETURNS, language="en", tags=("returns",)),
    NewFaq(question="怎么退货？", answer="六十天内。", language="zh", tags=("returns", "退货")),
]


def entry(questions: Sequence[str], answer: str, language: str = "en", *tags: str) -> FaqEntry:
    return FaqEntry(
        id="1",
        collection_id="public",
        questions=tuple(questions),
        answer=answer,
        language=language,
        tags=tags,
        updated_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


def table(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def book(path: Path, *rows: Sequence[object]) -> Path:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(list(row))
    workbook.save(path)
    return path


CSV = (
    "question,answer,language,tags\n"
    f'How do I return it?,"{RETURNS}",en,returns\n'
    "怎么退货？,六十天内。,zh,returns;退货\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_csv_file_is_read_in_its_own_encoding(tmp_path: Path, encoding: str) -> None:
    assert read_faqs(table(tmp_path / "faq.csv", CSV, encoding)) == ROWS


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_separator_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    text = (
        delimiter.join(["Answer", " Question "]) + "\n" + delimiter.join(["Yes, we do.", "Do you?"])
    )
    rows = read_faqs(table(tmp_path / "faq.csv", text))
    assert [(row.question, row.answer, row.language) for row in rows] == [
        ("Do you?", "Yes, we do.", "en")
    ]


def test_a_workbook_is_read_from_its_first_visible_sheet(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.sheet_state = "hidden"
    sheet = workbook.create_sheet("FAQ")
    for row in (
        ("问题", "答案", "语言", "标签"),
        ("How many?", 30.0, "en-GB", None),
        (None, None, None, None),
        ("怎么退货？", "六十天内。", "zh_CN", "returns、退货"),
    ):
        sheet.append(row)
    workbook.save(tmp_path / "faq.xlsx")
    first, second = read_faqs(tmp_path / "faq.xlsx")
    assert (first.answer, first.language, first.tags) == ("30", "en", ())
    assert second == ROWS[1]


def test_json_entries_may_have_several_questions(tmp_path: Path) -> None:
    listed = [{"questions": ["How?", "Why?"], "answer": RETURNS, "tags": ["returns"]}]
    rows = read_faqs(table(tmp_path / "faq.json", json.dumps(listed)))
    assert [row.question for row in rows] == ["How?", "Why?"]
    assert {(row.answer, row.language, row.tags) for row in rows} == {(RETURNS, "en", ("returns",))}


def test_json_lines_are_rows(tmp_path: Path) -> None:
    lines = "\n".join(
        json.dumps({"question": row.question, "answer": row.answer, "language": row.language,
                    "tags": list(row.tags)}, ensure_ascii=False)
        for row in ROWS
    )  # fmt: skip
    assert read_faqs(table(tmp_path / "faq.jsonl", f"{lines}\n\n")) == ROWS


def test_a_missing_language_is_the_answers_so_that_variants_stay_together(tmp_path: Path) -> None:
    text = f'question,answer\nVisa?,"{RETURNS}"\n能退货吗,"{RETURNS}"\n'
    assert {row.language for row in read_faqs(table(tmp_path / "faq.csv", text))} == {"en"}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "faq.csv",
            "question,answer\nHow?,Yes.\nWhy?,\n",
            "faq.csv, row 3, column answer: this is",
        ),
        ("faq.csv", "question,answer\n,Yes.\n", "faq.csv, row 2, column question: this is empty"),
        ("faq.csv", "question,reply\nHow?,Yes.\n", "row 1: there is no column named answer"),
        ("faq.csv", "question,question,answer\na,b,c\n", "more than one column named question"),
        ("faq.csv", "question,answer\nHow?,Yes, of course.\n", "row 2: there are more cells"),
        ("faq.csv", 'question,answer\nHow?,"Yes.\nWhy?,No.\n', "line 3: this is not a row"),
        ("faq.csv", "question,answer,language\nHow?,Yes.,English please\n", "column language"),
        ("faq.csv", "question,answer\n", "holds no questions"),
        ("faq.csv", "", "faq.csv is empty"),
        ("faq.json", '{"question": "a"}', "is not a list of objects"),
        ("faq.json", '[{"question": "a", "answer": "b"}, 3]', "entry 2: this is not an object"),
        ("faq.json", "[\n{]", "faq.json, line 2, column 2: this is not JSON"),
        ("faq.json", '[{"question": [], "answer": "b"}]', "column question: the list is empty"),
        (
            "faq.json",
            '[{"question": {"a": 1}, "answer": "b"}]',
            "column question: this is not text",
        ),
        ("faq.json", '[{"question": "a", "answer": "b", "tags": [1]}]', "column tags: a tag must"),
        ("faq.jsonl", '{"question": "a", "answer": "b"}\noops\n', "faq.jsonl, line 2, column 1"),
        ("faq.jsonl", '\n{"question": "a"}\n', "faq.jsonl, line 2, column answer"),
        ("faq.html", "<html><body>Hello</body></html>", "is not a table of questions"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        read_faqs(table(tmp_path / name, text))
    assert sentence in caught.value.sentence


def test_a_file_is_called_by_the_name_it_was_uploaded_under(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"^mine\.csv, row 2, column answer"):
        read_faqs(table(tmp_path / "upload-3f2", "question,answer\nHow?,\n"), "mine.csv")


def test_what_is_too_large_or_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_faqs(tmp_path / "gone.csv")
    path = table(tmp_path / "faq.csv", CSV)
    monkeypatch.setattr(faq_tables, "MOST_ROWS", 1)
    with pytest.raises(DocumentError, match="more than 1 rows"):
        read_faqs(path)
    monkeypatch.setattr(faq_tables, "LARGEST_FILE", 10)
    with pytest.raises(DocumentError, match="at most"):
        read_faqs(path)


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    whole = book(tmp_path / "whole.xlsx", ("question", "answer"), ("How?", "So.")).read_bytes()
    cut = tmp_path / "faq.xlsx"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DocumentError, match=r"faq\.xlsx is damaged"):
        read_faqs(cut)


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".json", ".jsonl"])
def test_what_is_exported_is_imported_unchanged(tmp_path: Path, ending: str) -> None:
    entries = [
        entry(
            ["How do I return it?", 'A "quoted", odd\none'], "Line one.\nLine two.", "en", "a", "b"
        ),
        entry(["怎么退货？"], "六十天内。", "zh"),
        entry(["=1+1", "+1 604", "'=x", "'plain"], '=HYPERLINK("http://x")'),
    ]
    path = tmp_path / f"faq{ending}"
    write_faqs(entries, path)
    expected = [
        (question, one.answer, one.language, one.tags)
        for one in entries
        for question in one.questions
    ]
    rows = read_faqs(path)
    assert [(row.question, row.answer, row.language, row.tags) for row in rows] == expected


def test_an_exported_workbook_holds_no_formulas(tmp_path: Path) -> None:
    write_faqs([entry(["=1+1"], "=cmd()\x07")], tmp_path / "faq.xlsx")
    cells = openpyxl.load_workbook(tmp_path / "faq.xlsx").active["A2:B2"][0]
    assert [(cell.value, cell.data_type) for cell in cells] == [("=1+1", "s"), ("=cmd()", "s")]
    write_faqs([entry(["=1+1"], "So.")], tmp_path / "faq.csv")
    assert "'=1+1" in (tmp_path / "faq.csv").read_text("utf-8-sig")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"End its name in \.csv, \.xlsx"):
        write_faqs([], tmp_path / "faq.pdf")
    with pytest.raises(DocumentError, match="cannot be written: No such file"):
        write_faqs([], tmp_path / "no" / "faq.csv")
    with pytest.raises(DocumentError, match="longer than a cell"):
        write_faqs([entry(["How?"], "x" * 40_000)], tmp_path / "faq.xlsx")
