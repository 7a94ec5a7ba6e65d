"""An example as a task sees it: a question with its answer, or a text with its label."""

from __future__ import annotations

from dataclasses import replace

from chatapp.records import ChatMessage
from chatapp.training_records import Example, Task


def as_task(example: Example, task: Task) -> Example:
    """The same example for that task.

    A label is the answer to its text, and a short answer can be the label of its question; what
    has neither keeps an empty label, or no turns.
    """
    if task == "chat":
        if example.messages or example.label is None:
            return example
        turns = (ChatMessage("user", example.text), ChatMessage("assistant", example.label))
        return replace(example, messages=turns, text="", label=None)
    if example.label is not None:
        return example
    answered = example.messages and example.messages[-1].role == "assistant"
    label = example.messages[-1].content if answered else ""
    return replace(example, messages=(), text=example.question, label=label)


def asked_text(example: Example) -> str:
    """Everything before the answer but for the system's turn: what is compared with what."""
    if not example.messages:
        return example.text
    last = len(example.messages) - (example.messages[-1].role == "assistant")
    return "\n".join(turn.content for turn in example.messages[:last] if turn.role != "system")


def all_texts(example: Example) -> tuple[str, ...]:
    """Every text that people wrote; a label is none."""
    return tuple(turn.content for turn in example.messages) or (example.text,)
