"""Each layout is told by the names of its columns, or by what stands in them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from chatapp.training.data import NAMES, ROLES, guess, read_rows, to_examples
from chatapp.training_records import Guess

TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
SHARED = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
QUESTIONS = ["Where is my parcel?", "Can I pay by card?", "How do I return it?", "Are you open?"]
ANSWERS = [
    "It is on its way and comes within three days.",
    "Yes, with all the usual ones.",
    "Print the label and bring it to the post office.",
    "From nine to five on every working day.",
]


def of_json(folder: Path, rows: Sequence[object]) -> list[Guess]:
    path = folder / "data.json"
    path.write_text(json.dumps(rows))
    return guess(read_rows(path))


def of_csv(folder: Path, *rows: Sequence[str]) -> list[Guess]:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path = folder / "data.csv"
    path.write_text(out.getvalue())
    return guess(read_rows(path))


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"messages": TURNS}, "messages"),
        ({"id": "1", "dialogue": TURNS}, "messages"),
        ({"messages": TURNS, "system": "Be kind."}, "messages"),
        ({"conversations": SHARED}, "sharegpt"),
        ({"chat": SHARED}, "sharegpt"),
        ({"instruction": "Sum up", "input": "A text", "output": "Short"}, "alpaca"),
        ({"instruction": "Say hi", "output": "Hi"}, "alpaca"),
        ({"prompt": "Hi", "completion": "Hello"}, "prompt_completion"),
        ({"question": "Open?", "answer": "Yes"}, "question_answer"),
        ({"Question": "Open?", "Response": "Yes"}, "question_answer"),
        ({"问题": "几点开门？", "答案": "九点"}, "question_answer"),
        ({"text": "Late!", "label": "delivery"}, "text_label"),
        ({"utterance": "Late!", "intent": "delivery"}, "text_label"),
        ({"评论": "很好", "情感": "好评"}, "text_label"),
        ({"prompt": "Hi", "chosen": "Hello", "rejected": "Go"}, "preference"),
        ({"chosen": TURNS, "rejected": TURNS}, "preference"),
        ({"text": "Once upon a time there was a shop."}, "plain_text"),
    ],
)
def test_by_the_names_of_the_columns(tmp_path: Path, row: dict[str, object], form: str) -> None:
    best = of_json(tmp_path, [row])[0]
    assert best.mapping.format == form
    assert best.confidence >= 0.8
    assert best.reason.endswith(".")


def test_conversations_in_the_cells_of_a_table(tmp_path: Path) -> None:
    best = of_csv(tmp_path, ["id", "x"], *[[str(n), json.dumps(TURNS)] for n in range(3)])[0]
    assert (best.mapping.format, dict(best.mapping.columns)) == ("messages", {"messages": "x"})


def test_labels_are_few_short_values_whatever_the_column_is_called(tmp_path: Path) -> None:
    rows = [[f"{text} {n}", ("good", "bad")[n % 2]] for n in range(6) for text in QUESTIONS]
    best = of_csv(tmp_path, ["foo", "bar"], *rows)[0]
    assert best.mapping.format == "text_label"
    assert dict(best.mapping.columns) == {"text": "foo", "label": "bar"}
    assert "bar" in best.reason


def test_labels_without_any_header(tmp_path: Path) -> None:
    rows = [[f"{text} {n}", ("good", "bad")[n % 2]] for n in range(6) for text in QUESTIONS]
    best = of_csv(tmp_path, *rows)[0]
    assert best.mapping.format == "text_label"
    assert dict(best.mapping.columns) == {"text": "column 1", "label": "column 2"}


def test_labels_before_their_texts(tmp_path: Path) -> None:
    rows = [[("1", "0")[n % 2], f"{text} {n}"] for n in range(6) for text in QUESTIONS]
    best = of_csv(tmp_path, ["label", "review"], *rows)[0]
    assert dict(best.mapping.columns) == {"text": "review", "label": "label"}


def test_questions_and_answers_without_any_header(tmp_path: Path) -> None:
    best = of_csv(tmp_path, *zip(QUESTIONS, ANSWERS, strict=True))[0]
    assert best.mapping.format == "question_answer"
    assert dict(best.mapping.columns) == {"question": "column 1", "answer": "column 2"}
    assert best.confidence < 0.8


def test_every_format_comes_at_most_once_and_the_likeliest_first(tmp_path: Path) -> None:
    rows = [{"text": f"{q} {n}", "label": "ab"[n % 2]} for n, q in enumerate(QUESTIONS * 5)]
    guesses = of_json(tmp_path, rows)
    forms = [one.mapping.format for one in guesses]
    assert len(set(forms)) == len(forms)
    assert [one.confidence for one in guesses] == sorted(
        (one.confidence for one in guesses), reverse=True
    )


def test_there_is_always_a_guess_that_can_be_mapped(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    table = read_rows(path)
    for one in guess(table):
        assert to_examples(table, one.mapping).examples


def test_every_format_has_roles_and_a_name() -> None:
    assert ROLES.keys() == NAMES.keys()
    assert all(any(role.required for role in roles) for roles in ROLES.values())
