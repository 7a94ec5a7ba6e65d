"""Examples shortened until they fit: the oldest turns go first, the answer never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chatapp.errors import ModelError
from chatapp.records import ChatMessage
from chatapp.training.data.measuring import Measure
from chatapp.training_records import Example


def fitted(example: Example, measure: Measure) -> Example | None:
    """The example within the longest length, with as much of it as there is room for.

    First the oldest questions go with their answers, then the end of the last question, of plain
    text or of what is to be sorted. None when the answer alone is too long to be learned at all.
    """
    if not example.messages:
        text = _longest(example.text, lambda part: _fits(replace(example, text=part), measure))
        return replace(example, text=text) if text else None
    while not _fits(example, measure) and (shorter := _without_oldest(example)):
        example = shorter
    if not _fits(example, measure):
        text = _longest(example.question, lambda part: _fits(_asking(example, part), measure))
        example = _asking(example, text or example.question)
    return example if _learns(example, measure) else None


def _without_oldest(example: Example) -> Example | None:
    """Without the first question and its answer; None where there is only one."""
    begins = 1 if example.messages[0].role == "system" else 0
    if len(example.messages) - begins <= 2:
        return None
    kept = (*example.messages[:begins], *example.messages[begins + 2 :])
    return replace(example, messages=kept)


def _asking(example: Example, question: str) -> Example:
    """With another last question."""
    turns = list(example.messages)
    at = max(number for number, turn in enumerate(turns) if turn.role == "user")
    turns[at] = ChatMessage("user", question)
    return replace(example, messages=tuple(turns))


def _longest(text: str, fits: Callable[[str], bool]) -> str:
    """As many words (or, without spaces, characters) from the beginning as fit."""
    if fits(text):
        return text
    low, high = 0, len(text)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(text[:middle].strip()) else (low, middle)
    part = text[:low]
    at_word = part.rsplit(" ", 1)[0] if " " in part and not text[low : low + 1].isspace() else part
    return at_word.strip()


def _fits(example: Example, measure: Measure) -> bool:
    try:
        return measure.length(example).tokens <= measure.max_length
    except ModelError:
        return False


def _learns(example: Example, measure: Measure) -> bool:
    try:
        return measure.length(example).kept > 0
    except ModelError:
        return False
