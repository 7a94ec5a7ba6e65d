"""Rows become examples, and what cannot is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatapp.errors import DatasetError
from chatapp.records import ChatMessage
from chatapp.training.data import Mapped, read_rows, to_examples
from chatapp.training_records import DataMapping, Example, Format

TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def mapped(folder: Path, form: Format, rows: list[object], **columns: str) -> Mapped:
    path = folder / "data.json"
    path.write_text(json.dumps(rows))
    return to_examples(read_rows(path), DataMapping(format=form, columns=columns))


def turns(example: Example) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in example.messages]


def test_messages_of_every_kind_of_writing(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]
    rows = [
        {"m": TURNS},
        {"m": json.dumps(TURNS)},
        {"m": {"messages": TURNS}},
        {"m": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        {"m": [{"role": "user", "content": parts}, {"role": "model", "content": "Hello"}]},
        {"m": [{"role": "客户", "content": "Hi"}, {"role": "客服", "content": "Hello"}]},
    ]
    examples = mapped(tmp_path, "messages", rows, messages="m").examples
    assert [turns(one)[-1] for one in examples] == [("assistant", "Hello")] * 6
    assert turns(examples[4])[0] == ("user", "Hi\nthere")
    assert [one.row for one in examples] == [1, 2, 3, 4, 5, 6]


def test_cells_without_a_conversation_are_named(tmp_path: Path) -> None:
    image = [{"type": "image_url", "image_url": {"url": "x"}}]
    rows = [
        {"m": TURNS},
        {"m": "just text"},
        {"m": []},
        {"m": [{"role": "tool", "content": "x"}]},
        {"m": [{"role": "user", "content": image}]},
        {"m": ["Hi", "Hello"]},
        {"m": None},
    ]
    found = mapped(tmp_path, "messages", rows, messages="m")
    assert len(found.examples) == 1
    assert found.unread == 6
    finding = found.findings[0]
    assert (finding.kind, finding.severity, finding.count) == ("no_conversation", "error", 6)
    assert [place.row for place in finding.places] == [2, 3, 4, 5, 6, 7]
    assert finding.places[2].column == "m"
    assert "'tool'" in finding.places[2].value


def test_alpaca_puts_the_input_below_the_instruction(tmp_path: Path) -> None:
    rows = [{"i": "Sum up", "in": "A text", "o": "Short", "s": "Be brief."}, {"i": "Hi", "o": "Yo"}]
    columns = {"instruction": "i", "input": "in", "output": "o", "system": "s"}
    examples = mapped(tmp_path, "alpaca", rows, **columns).examples
    assert turns(examples[0]) == [
        ("system", "Be brief."),
        ("user", "Sum up\n\nA text"),
        ("assistant", "Short"),
    ]
    assert turns(examples[1]) == [("user", "Hi"), ("assistant", "Yo")]


def test_a_context_stands_above_its_question(tmp_path: Path) -> None:
    rows = [{"q": "Heavy?", "a": {"text": ["no", "No."], "answer_start": [1]}, "c": "It is light."}]
    found = mapped(tmp_path, "question_answer", rows, question="q", answer="a", context="c")
    assert turns(found.examples[0]) == [("user", "It is light.\n\nHeavy?"), ("assistant", "no")]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hi", "chosen": "Hello", "rejected": "Go away"},
        {"prompt": "Hi", "chosen": TURNS, "rejected": TURNS},
        {"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": TURNS[1:]},
        {"prompt": None, "chosen": TURNS, "rejected": TURNS},
        {"prompt": TURNS[:1], "chosen": TURNS, "rejected": TURNS},
    ],
)
def test_of_a_pair_the_better_side_is_learned_and_that_is_said(
    tmp_path: Path, row: dict[str, object]
) -> None:
    columns = {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}
    found = mapped(tmp_path, "preference", [row], **columns)
    assert turns(found.examples[0]) == [("user", "Hi"), ("assistant", "Hello")]
    assert [(one.kind, one.severity) for one in found.findings] == [("preference", "note")]


def test_lists_and_objects_are_no_texts(tmp_path: Path) -> None:
    rows = [{"t": {"a": 1}, "l": "x"}, {"t": "a", "l": ["x", "y"]}, {"t": "a", "l": "x"}]
    found = mapped(tmp_path, "text_label", rows, text="t", label="l")
    assert [one.row for one in found.examples] == [3]
    assert [(one.kind, one.count) for one in found.findings] == [("not_text", 2)]


def test_labels_of_any_type_are_text(tmp_path: Path) -> None:
    rows = [{"t": "a", "l": label} for label in (1, 2.0, True, "x", ["only"], None)]
    examples = mapped(tmp_path, "text_label", rows, text="t", label="l").examples
    assert [one.label for one in examples] == ["1", "2", "true", "x", "only", ""]


def test_what_no_file_or_database_can_hold_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "  a\\ud800b\\u0000c\\ufdd0\\r\\nd\\u200b ", "label": "x"}\n')
    mapping = DataMapping(format="text_label", columns={"text": "text", "label": "label"})
    text = to_examples(read_rows(path), mapping).examples[0].text
    assert text == "abc\nd\u200b"
    text.encode()


def test_a_correction_is_still_one_after_it_was_saved(tmp_path: Path) -> None:
    rows = [{"messages": TURNS, "origin": "correction"}, {"messages": TURNS}]
    examples = mapped(tmp_path, "messages", rows, messages="messages").examples
    assert [one.origin for one in examples] == ["correction", "file"]
    assert examples[0].messages == (ChatMessage("user", "Hi"), ChatMessage("assistant", "Hello"))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"text": "t"}, "no column is chosen for label"),
        ({"text": "t", "label": "nope"}, "no column 'nope' for label. Its columns are t, l"),
        ({"text": "t", "label": "l", "answer": "t"}, "no role 'answer'"),
    ],
)
def test_a_wrong_mapping_is_one_sentence(
    tmp_path: Path, columns: dict[str, str], said: str
) -> None:
    with pytest.raises(DatasetError, match=said):
        mapped(tmp_path, "text_label", [{"t": "a", "l": "b"}], **columns)
