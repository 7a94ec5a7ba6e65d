"""What is written can be read again, and runs in no spreadsheet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chatapp.records import ChatMessage, Role
from chatapp.training.data import guess, read_rows, to_examples, write_cleaned
from chatapp.training_records import Example


def chat(*turns: tuple[Role, str]) -> Example:
    return Example(messages=tuple(ChatMessage(role, text) for role, text in turns))


LABELLED = [
    Example(text="Where is it?", label="delivery"),
    Example(text='=HYPERLINK("http://evil.example")', label="+1"),
    Example(text="-2+3|cmd", label="@sum"),
    Example(text="'quoted', \"twice\"\nand on two lines", label="odd"),
]
ANSWERED = [
    chat(("user", "Open?"), ("assistant", "=Yes")),
    chat(("system", "Be kind."), ("user", "你好"), ("assistant", "您好")),
]
TALKS = [
    *ANSWERED,
    chat(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
    replace(chat(("user", "x"), ("assistant", "y")), origin="correction"),
]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("examples", [LABELLED, ANSWERED, TALKS, [Example(text="One.\n\nTwo.")]])
def test_what_was_written_is_read_again(
    tmp_path: Path, ending: str, examples: list[Example]
) -> None:
    path = tmp_path / f"clean.{ending}"
    write_cleaned(examples, path)
    table = read_rows(path)
    read = to_examples(table, guess(table)[0].mapping).examples
    assert [replace(one, file="", row=0) for one in read] == examples


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    import csv

    path = tmp_path / "clean.csv"
    write_cleaned([*LABELLED], path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_nothing_left_is_a_file_too(tmp_path: Path) -> None:
    write_cleaned([], tmp_path / "clean.csv")
    write_cleaned([], tmp_path / "clean.jsonl")
    assert (tmp_path / "clean.csv").read_text(encoding="utf-8-sig") == "text\n"
