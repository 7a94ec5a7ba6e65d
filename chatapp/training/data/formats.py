"""The layouts of labelled data, and the roles that columns play in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatapp.training_records import DataMapping, Format, Task


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """What a column can be for; ``about`` says it to a person."""

    name: str
    required: bool
    about: str


_SYSTEM = ColumnRole("system", False, "What stands above the conversation: who answers, and how.")

ROLES: Mapping[Format, tuple[ColumnRole, ...]] = {
    "messages": (
        ColumnRole("messages", True, "The turns: a list of objects with role and content."),
        _SYSTEM,
    ),
    "sharegpt": (
        ColumnRole("conversations", True, "The turns: a list of objects with from and value."),
        _SYSTEM,
    ),
    "alpaca": (
        ColumnRole("instruction", True, "What is asked for."),
        ColumnRole("input", False, "What it is to be done with; added below the instruction."),
        ColumnRole("output", True, "The answer to learn."),
        _SYSTEM,
    ),
    "prompt_completion": (
        ColumnRole("prompt", True, "What is asked: a text, or turns."),
        ColumnRole("completion", True, "The answer to learn."),
        _SYSTEM,
    ),
    "question_answer": (
        ColumnRole("question", True, "What a customer asks."),
        ColumnRole("answer", True, "The answer to learn."),
        ColumnRole("context", False, "What the answer is taken from; put above the question."),
        _SYSTEM,
    ),
    "text_label": (
        ColumnRole("text", True, "What is to be sorted."),
        ColumnRole("label", True, "Where it belongs."),
    ),
    "preference": (
        ColumnRole("prompt", False, "What is asked; not needed where chosen holds all turns."),
        ColumnRole("chosen", True, "The better answer, which is learned: a text, or turns."),
        ColumnRole("rejected", False, "The worse answer; it is not used."),
        _SYSTEM,
    ),
    "plain_text": (ColumnRole("text", True, "Text to continue."),),
}
"""The roles of each format, in the order in which a form shows them."""

NAMES: Mapping[Format, str] = {
    "messages": "chat messages (OpenAI)",
    "sharegpt": "ShareGPT conversations",
    "alpaca": "Alpaca (instruction, input, output)",
    "prompt_completion": "prompt and completion",
    "question_answer": "question and answer",
    "text_label": "text and label",
    "preference": "preference pairs",
    "plain_text": "plain text",
}
"""What a person calls each format."""

_PARTS: Mapping[Format, tuple[str, str]] = {
    "messages": ("messages", "messages"),
    "sharegpt": ("conversations", "conversations"),
    "alpaca": ("instruction", "output"),
    "prompt_completion": ("prompt", "completion"),
    "question_answer": ("question", "answer"),
    "text_label": ("text", "label"),
    "preference": ("prompt", "chosen"),
    "plain_text": ("text", "text"),
}


def part_columns(mapping: DataMapping, task: Task) -> dict[str, str]:
    """What a file calls the question and the answer, or the text and the label."""
    asked, said = (mapping.columns.get(role, role) for role in _PARTS[mapping.format])
    parts = ("question", "answer") if task == "chat" else ("text", "label")
    return {"question": asked} | dict(zip(parts, (asked, said), strict=True))
