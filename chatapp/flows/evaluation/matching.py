"""What counts as right, and how shares are counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from chatapp.flows.evaluation.questions import Question
from chatapp.knowledge.normalising import normalised
from chatapp.knowledge_records import FaqEntry

_LATIN = re.compile(r"[a-z0-9]")
_NOT_INSIDE_BEFORE = r"(?<![a-z0-9])(?<!\d[.,:])"
_NOT_INSIDE_AFTER = r"(?![a-z0-9])(?![.,:]\d)"


@dataclass(frozen=True, slots=True)
class Miss:
    """A question that went wrong.

    Attributes:
        expected: what would have been right.
        got: what came instead.
    """

    line: int
    question: str
    expected: str
    got: str


def is_right_entry(question: Question, entry: FaqEntry) -> bool:
    """Whether an FAQ entry's answer is the known one, but for case, punctuation and width."""
    return question.answer is not None and normalised(entry.answer) == normalised(question.answer)


def is_right_passage(question: Question, document: str, title: str, text: str) -> bool:
    """Whether a passage is of a right document and has the words that it should have."""
    if question.documents and not is_document(question.documents, document, title):
        return False
    words = question.contains if question.documents else question.answer
    return contains(text, words) if words is not None else bool(question.documents)


def is_document(wanted: Sequence[str], name: str, title: str) -> bool:
    """Whether one of the names is a document's name, the last part of it, or its title."""
    known = {text.casefold() for text in (name, PurePosixPath(name).name, title)}
    return any(one.casefold() in known for one in wanted)


def contains(text: str, words: str) -> bool:
    """Whether a text has these words, but for case, punctuation, width and spacing.

    A word or a figure is not found inside a longer one.
    """
    wanted = normalised(words)
    before = _NOT_INSIDE_BEFORE if _LATIN.match(wanted[:1]) else ""
    after = _NOT_INSIDE_AFTER if _LATIN.match(wanted[-1:]) else ""
    return re.search(before + re.escape(wanted) + after, normalised(text)) is not None


def expected(question: Question) -> str:
    """What would be right, in short."""
    if not question.in_scope:
        return "refused"
    return question.answer or " | ".join(question.documents)


def share(count: float, of: int) -> float | None:
    """A part of a whole; None of nothing."""
    return count / of if of else None
