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
from chatapp.training_records import Example

NEAR: Final = 0.6
"""Share of their runs of three characters that two questions have in common, from which on they
ask nearly the same."""
_PIECE: Final = 3
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
    held_out = tuple(one for one in corrections if one.held_out)
    examined = [_pieces(one.question) for one in held_out]
    trained: list[Correction] = []
    too_near: list[Correction] = []
    for one in corrections:
        if one.held_out:
            continue
        pieces = _pieces(one.question)
        near = any(_near(pieces, other) for other in examined)
        (too_near if near else trained).append(one)
    return Parts(tuple(trained), held_out, tuple(too_near))


def nearest(question: str, corrections: Sequence[Correction]) -> Correction | None:
    """The correction that asks nearly the same; None where none does."""
    pieces = _pieces(question)
    return next((one for one in corrections if _near(pieces, _pieces(one.question))), None)


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


def _near(one: frozenset[str], other: frozenset[str]) -> bool:
    small, large = sorted((len(one), len(other)))
    if small < NEAR * large:
        return False
    return len(one & other) >= NEAR * len(one | other)


def _pieces(question: str) -> frozenset[str]:
    text = f" {normalised(question) or question} "
    return frozenset(text[at : at + _PIECE] for at in range(max(1, len(text) - _PIECE + 1)))
