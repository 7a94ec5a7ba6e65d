"""Examples as the trainer reads them: token ids, and labels where something is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import DatasetError
from chatapp.training.data import encode
from chatapp.training_records import Example

IGNORED = -100
"""The label of a token that is read but not learned, as the libraries have it."""


class Lesson(TypedDict):
    """One row; both lists are equally long."""

    input_ids: list[int]
    labels: list[int]


def lessons_of(
    examples: Sequence[Example], tokenizer: ChatTokenizer, system_prompt: str, max_length: int
) -> tuple[list[Lesson], list[Example]]:
    """Encode examples; those that teach nothing within ``max_length`` are left out.

    Returns:
        The lessons, and the examples that were left out.

    Raises:
        DatasetError: nothing is left.
        ModelError: the chat template rejects a conversation.
    """
    lessons: list[Lesson] = []
    left_out: list[Example] = []
    for example in examples:
        ids, trained = encode(example, tokenizer, system_prompt, max_length)
        trained = [False, *trained[1:]]  # nothing stands before the first token to tell it by
        if any(trained):
            labels = [
                one if learned else IGNORED for one, learned in zip(ids, trained, strict=True)
            ]
            lessons.append({"input_ids": ids, "labels": labels})
        else:
            left_out.append(example)
    if examples and not lessons:
        raise DatasetError(
            f"None of the {len(examples):,} examples has an answer within {max_length:,} tokens, "
            "so there is nothing to learn. Raise max_length, or shorten the questions."
        )
    return lessons, left_out


def packed(lessons: Sequence[Lesson], max_length: int) -> list[list[Lesson]]:
    """Lessons together in rows of at most ``max_length`` tokens, the longest first into the row
    with the least room that is enough (best-fit decreasing, Johnson 1973)."""
    rows: list[list[Lesson]] = []
    room: list[int] = []
    for lesson in sorted(lessons, key=lambda one: -len(one["input_ids"])):
        size = len(lesson["input_ids"])
        fitting = [at for at, left in enumerate(room) if left >= size]
        if fitting:
            at = min(fitting, key=room.__getitem__)
            rows[at].append(lesson)
            room[at] -= size
        else:
            rows.append([lesson])
            room.append(max_length - size)
    return rows
