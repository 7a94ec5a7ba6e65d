"""Questions the knowledge could not answer, grouped by what they ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.base import Embedder
from chatapp.knowledge_records import Unanswered

NEAR: Final = 0.65
"""Cosine to the middle of a group from which on a question belongs to it. On 30 intents of one
domain, with five questions each, the bundled embedder forms groups that are 0.81 pure with it."""

_Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that ask for one thing.

    Attributes:
        ids: of every time it was asked, the newest first.
        questions: the different wordings, the most frequent first.
        asked_at: the last time.
        notes: what reviewers wrote about the document that is missing, each once.
    """

    ids: tuple[str, ...]
    questions: tuple[str, ...]
    asked_at: datetime
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Names the group as long as nothing newer joins it."""
        return self.ids[0]


@dataclass(slots=True)
class _Gathering:
    middle: _Vector
    members: list[Unanswered] = field(default_factory=list)

    def nearness(self, vector: _Vector) -> float:
        """Cosine of ``vector``, of length 1, to the middle."""
        return float(self.middle @ vector / (np.linalg.norm(self.middle) or 1))

    def group(self) -> Group:
        wordings = Counter(member.question.strip() for member in self.members)
        return Group(
            tuple(member.id for member in self.members),
            tuple(question for question, _ in wordings.most_common()),
            self.members[0].asked_at,
            tuple(dict.fromkeys(member.note for member in self.members if member.note)),
        )


def grouped(questions: Sequence[Unanswered], embedder: Embedder) -> list[Group]:
    """Questions by similarity, the largest group first.

    Args:
        questions: the newest first; those without a vector that fits are embedded now.
    """
    gatherings: list[_Gathering] = []
    for question, vector in zip(questions, _vectors(questions, embedder), strict=True):
        nearest = max(gatherings, key=lambda one: one.nearness(vector), default=None)
        if nearest is None or nearest.nearness(vector) < NEAR:
            gatherings.append(_Gathering(vector.copy(), [question]))
        else:
            nearest.middle += vector
            nearest.members.append(question)
    gatherings.sort(key=lambda one: -len(one.members))
    return [one.group() for one in gatherings]


def _vectors(questions: Sequence[Unanswered], embedder: Embedder) -> list[_Vector]:
    size = embedder.dimension * np.dtype(np.float32).itemsize
    kept = {
        number: np.frombuffer(one.vector, np.float32)
        for number, one in enumerate(questions)
        if one.vector is not None and len(one.vector) == size
    }
    missing = [number for number in range(len(questions)) if number not in kept]
    if missing:
        made = embedder.embed_queries([questions[number].question for number in missing])
        kept.update(zip(missing, made, strict=True))
    return [kept[number] for number in range(len(questions))]
