"""Which approved corrections are learned from, and which only measure what was learned.

A question's part follows from its normalised text alone. A training example that asks nearly what
one of the set-aside ones asks is left out, as the model would otherwise be examined on what it has
seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatapp.feedback_records import Correction
from chatapp.knowledge.normalising import normalised
from chatapp.records import ChatMessage
from chatapp.training.data.likeness import alike_groups
from chatapp.training_records import Example

SOURCE: Final = "corrections"
"""What stands for a file's name in the examples."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The corrections, newest first in each part.

    Attributes:
        trained: to be learned.
        held_out: set aside for evaluation.
        too_near: in neither part: they ask nearly what a set-aside one asks.
    """

    trained: tuple[Correction, ...]
    held_out: tuple[Correction, ...]
    too_near: tuple[Correction, ...]


def key_of(question: str) -> str:
    """What the same question has in common, however it is spelt: SHA-256 in hex."""
    comparable = normalised(question) or " ".join(question.split())
    return hashlib.sha256(comparable.encode()).hexdigest()


def parted(corrections: Sequence[Correction]) -> Parts:
    """The corrections by part."""
    groups = alike_groups([one.question for one in corrections])
    grouped = list(zip(corrections, groups, strict=True))
    examined = {group for one, group in grouped if one.held_out}
    rest = [(one, group in examined) for one, group in grouped if not one.held_out]
    return Parts(
        trained=tuple(one for one, near in rest if not near),
        held_out=tuple(one for one in corrections if one.held_out),
        too_near=tuple(one for one, near in rest if near),
    )


def near_approved(
    questions: Sequence[str], corrections: Sequence[Correction]
) -> list[Correction | None]:
    """For each question the correction that asks nearly the same; None where none does."""
    groups = alike_groups([*(one.question for one in corrections), *questions])
    known = {group: one for one, group in zip(corrections, groups, strict=False)}
    return [known.get(group) for group in groups[len(corrections) :]]


def as_example(correction: Correction, number: int) -> Example:
    """The very record that files become; ``number`` counts from 1."""
    return Example(
        messages=(
            ChatMessage("user", correction.question),
            ChatMessage("assistant", correction.answer),
        ),
        file=SOURCE,
        row=number,
        origin="correction",
    )
