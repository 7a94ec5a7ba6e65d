"""The examples back into a file that spreadsheets open and ``read_rows`` reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from chatapp.knowledge.faq_rows import guarded
from chatapp.training_records import Example


def write_cleaned(examples: Sequence[Example], path: Path) -> None:
    """Write the examples: as CSV where the path ends so, else as JSONL.

    In CSV a text that a spreadsheet would take for a formula gets an apostrophe in front, which
    ``read_rows`` takes off again. Conversations of several turns are JSON in a cell.
    """
    rows = [_row(example) for example in examples]
    if any("messages" in row for row in rows):  # then all of them, for the columns to be the same
        rows = [_as_turns(example, row) for example, row in zip(examples, rows, strict=True)]
    if path.suffix.lower() != ".csv":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return
    columns = list(dict.fromkeys(column for row in rows for column in row)) or ["text"]
    # The mark at the beginning tells Excel that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        for row in rows:
            writer.writerow({column: guarded(_cell(value)) for column, value in row.items()})


def _row(example: Example) -> dict[str, object]:
    row: dict[str, object]
    turns = list(example.messages)
    system = turns.pop(0).content if turns and turns[0].role == "system" else ""
    roles = [turn.role for turn in turns]
    if example.label is not None:
        row = {"text": example.text, "label": example.label}
    elif not example.messages:
        row = {"text": example.text}
    elif roles == ["user", "assistant"]:
        row = {"question": turns[0].content, "answer": turns[1].content}
        if system:
            row["system"] = system
    else:
        row = _messages(example)
    if example.origin == "correction":
        row["origin"] = "correction"
    return row


def _messages(example: Example) -> dict[str, object]:
    return {"messages": [{"role": turn.role, "content": turn.content} for turn in example.messages]}


def _as_turns(example: Example, row: dict[str, object]) -> dict[str, object]:
    if not example.messages:
        return row
    origin = {"origin": row["origin"]} if "origin" in row else {}
    return _messages(example) | origin


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
