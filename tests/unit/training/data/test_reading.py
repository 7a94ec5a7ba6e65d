"""Tables out of every kind of file, with the rows where an editor or a spreadsheet shows them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chatapp.training.data import read_rows
from chatapp.training.data.table import Table

ROWS = [("Where is my parcel?", "delivery"), ("I want my money back", "refund")]

OBJECTS = [{"text": text, "label": label} for text, label in ROWS]


def read(folder: Path, name: str, content: str | bytes) -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_rows(path)


def cells(table: Table) -> list[tuple[object, ...]]:
    return [tuple(row.cells.get(column) for column in table.columns) for row in table.rows()]


def csv_of(delimiter: str, end: str = "\n") -> str:
    lines = [("text", "label"), *ROWS]
    return end.join(delimiter.join(line) for line in lines) + end


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separated_values_whatever_separates_them(tmp_path: Path, delimiter: str, end: str) -> None:
    table = read(tmp_path, "data.csv", csv_of(delimiter, end))
    assert table.columns == ("text", "label")
    assert cells(table) == ROWS
    assert [row.number for row in table.rows()] == [2, 3]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "cp1252"],
)
def test_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = (
        "我的包裹在哪里？什么时候到？" if encoding != "cp1252" else "Où est mon colis à Besançon ?"
    )
    rows = f"text,label\n{text},delivery\n{text},refund\n"
    table = read(tmp_path, "data.csv", rows.encode(encoding))
    assert cells(table) == [(text, "delivery"), (text, "refund")]
    assert table.findings == ()


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    table = read(tmp_path, "data.csv", 'text,label\n"two\nlines",a\n\n,\nlast,b\n')
    assert [(row.number, row.cells["text"]) for row in table.rows()] == [
        (2, "two\nlines"),
        (5, "last"),
    ]


def test_excel_s_line_with_the_separator_is_no_row(tmp_path: Path) -> None:
    table = read(tmp_path, "data.csv", "sep=;\ntext;label\na, b;c\n")
    assert cells(table) == [("a, b", "c")]
    assert next(iter(table.rows())).number == 3


def test_quotation_marks_in_a_file_with_tabs_are_text(tmp_path: Path) -> None:
    table = read(tmp_path, "data.tsv", 'text\tlabel\n"Late" again\tdelivery\n"Hi\tother\n')
    assert cells(table) == [('"Late" again', "delivery"), ('"Hi', "other")]


def test_a_guarded_formula_loses_its_guard(tmp_path: Path) -> None:
    assert cells(read(tmp_path, "data.csv", "text,label\n'=1+1,a\n")) == [("=1+1", "a")]


def test_one_column_of_sentences_with_commas_is_one_column(tmp_path: Path) -> None:
    table = read(tmp_path, "data.csv", 'text\n"Hello, there, friend"\n"One, two"\nThree\n')
    assert cells(table) == [("Hello, there, friend",), ("One, two",), ("Three",)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.json", json.dumps(OBJECTS)),
        ("pretty.json", json.dumps(OBJECTS, indent=2)),
        ("held.json", json.dumps({"version": 1, "data": OBJECTS})),
        ("deeper.json", json.dumps({"a": {"rows": OBJECTS}})),
        ("columns.json", json.dumps({"text": [t for t, _ in ROWS], "label": [k for _, k in ROWS]})),
        (
            "pandas.json",
            json.dumps(
                {
                    "text": {str(n): t for n, (t, _) in enumerate(ROWS)},
                    "label": {str(n): k for n, (_, k) in enumerate(ROWS)},
                }
            ),
        ),
        ("lines.jsonl", "\n".join(map(json.dumps, OBJECTS))),
        ("lines.json", "\n".join(map(json.dumps, OBJECTS))),
        ("no-ending", "\n".join(map(json.dumps, OBJECTS))),
        ("csv-by-name.csv", json.dumps(OBJECTS)),
    ],
)
def test_json_however_its_rows_are_held(tmp_path: Path, name: str, content: str) -> None:
    table = read(tmp_path, name, content)
    assert table.columns == ("text", "label")
    assert cells(table) == ROWS


def test_lines_and_entries_are_counted_from_one(tmp_path: Path) -> None:
    lines = read(tmp_path, "a.jsonl", '\n{"text": "a"}\n\n{"text": "b"}\n')
    assert [row.number for row in lines.rows()] == [2, 4]
    entries = read(tmp_path, "a.json", '[{"text": "a"}, {"text": "b"}]')
    assert [row.number for row in entries.rows()] == [1, 2]
    assert (lines.unit, entries.unit) == ("line", "entry")


def test_the_longest_of_several_lists_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    held = {"dev": [{"text": "a"}], "train": [{"text": "b"}, {"text": "c"}], "meta": ["x"]}
    table = read(tmp_path, "a.json", json.dumps(held))
    assert cells(table) == [("b",), ("c",)]
    assert "train (2 entries)" in table.findings[0].sentence


def test_questions_below_an_article_are_rows(tmp_path: Path) -> None:
    article = {
        "title": "Tents",
        "paragraphs": [
            {
                "context": "A tent is light.",
                "qas": [{"question": "Is it light?", "answers": [{"text": "yes"}]}],
            }
        ],
    }
    table = read(tmp_path, "squad.json", json.dumps({"version": "2.0", "data": [article]}))
    assert next(iter(table.rows())).cells == {
        "title": "Tents",
        "context": "A tent is light.",
        "question": "Is it light?",
        "answers": [{"text": "yes"}],
    }


def test_a_workbook_gives_the_values_it_shows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([None])
    book.active.append(["text", "label", "when"])
    book.active.append(["30 days?", 30.0, datetime.datetime(2026, 1, 2)])
    book.active.append(["ok", True, None])
    book.create_sheet("Second").append(["more"])
    book.save(tmp_path / "book.xlsx")
    table = read_rows(tmp_path / "book.xlsx")
    assert cells(table) == [("30 days?", "30", "2026-01-02"), ("ok", "TRUE", None)]
    assert [row.number for row in table.rows()] == [3, 4]
    assert [finding.kind for finding in table.findings] == ["other_sheets"]


def test_a_workbook_may_be_called_anything(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    book.active.append(["a", "b"])
    book.save(tmp_path / "book.xlsx")
    (tmp_path / "book.xlsx").rename(tmp_path / "export.csv")
    table = read_rows(tmp_path / "export.csv")
    assert (table.kind, cells(table)) == ("xlsx", [("a", "b")])


def test_a_formula_gives_what_was_last_calculated_and_runs_nowhere(tmp_path: Path) -> None:
    """LibreOffice and Excel store the result beside the formula; openpyxl writes only the latter,
    so the result is put into its XML."""
    import zipfile

    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    book.active.append(["a", "=1+1"])
    book.save(tmp_path / "draft.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "draft.xlsx") as source,
        zipfile.ZipFile(tmp_path / "book.xlsx", "w") as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("sheet1.xml"):
                assert b"<f>1+1</f><v />" in data or b"<f>1+1</f><v></v>" in data, data
                data = data.replace(b"<v />", b"<v>2</v>").replace(b"<v></v>", b"<v>2</v>")
            target.writestr(name, data)
    table = read_rows(tmp_path / "book.xlsx")
    assert cells(table) == [("a", "2")]
    assert [(one.kind, one.severity) for one in table.findings] == [("calculated", "note")]


def test_parquet_is_read_with_lists_and_objects_in_it(tmp_path: Path) -> None:
    turns = [[{"role": "user", "content": f"q{n}"}] for n in range(1_000)]
    pq.write_table(pa.table({"messages": turns, "blob": [b"\0"] * 1_000}), tmp_path / "a.parquet")
    table = read_rows(tmp_path / "a.parquet")
    assert table.columns == ("messages",)
    assert table.count == 1_000
    rows = list(table.rows())
    assert rows[999].number == 1_000
    assert rows[999].cells["messages"] == [{"role": "user", "content": "q999"}]


def test_plain_text_is_its_paragraphs_or_its_lines(tmp_path: Path) -> None:
    parted = read(tmp_path, "a.txt", "One\ntwo.\n\nThree.\n")
    assert [(row.number, row.cells["text"]) for row in parted.rows()] == [
        (1, "One\ntwo."),
        (4, "Three."),
    ]
    lines = read(tmp_path, "b.txt", "One.\nTwo.\nThree.\n")
    assert lines.count == 3


def test_rows_pasted_from_a_spreadsheet_are_a_table(tmp_path: Path) -> None:
    assert cells(read(tmp_path, "pasted.txt", csv_of("\t"))) == ROWS
    assert cells(read(tmp_path, ".pasted-1f", csv_of(","))) == ROWS


def test_a_large_table_is_read_again_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.training.data.table._KEPT", 100)
    table = read(tmp_path, "a.csv", "text,label\n" + "some text,x\n" * 50)
    assert table._kept is None
    assert len(list(table.rows())) == len(list(table.rows())) == table.count == 50


def test_what_a_file_is_shows_all_over_it(tmp_path: Path) -> None:
    table = read(
        tmp_path, "a.csv", "text,label\n" + "".join(f"t{n},{n // 500}\n" for n in range(5000))
    )
    assert len(table.sample) <= 400
    assert {row.cells["label"] for row in table.sample} == {str(n) for n in range(10)}
