"""How many tokens an example has, and how many of those are left to learn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.data.rendering import conversation_of, encode
from chatapp.training_records import Bar, Example, Task

_AROUND_TURN = 4
"""Tokens that a chat template puts around a turn, about."""
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]|\w{1,6}|[^\w\s]")
_BARS = 24
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000)


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, where no tokenizer is at hand: a vocabulary for chat has
    a token for most words, two for long ones, and one or two for a Chinese character."""
    return len(_WORDS.findall(text))


@dataclass(frozen=True, slots=True)
class Length:
    """Of one example, in tokens.

    Attributes:
        tokens: all of it.
        trained: those that the model learns to write.
        kept: those of them that are left when the end is cut off.
    """

    tokens: int
    trained: int
    kept: int


class Measure:
    """Counts tokens as the trainer will see them."""

    def __init__(
        self,
        task: Task,
        tokenizer: ChatTokenizer | Callable[[str], int],
        max_length: int,
        system_prompt: str = "",
    ) -> None:
        self.max_length = max_length
        self._task = task
        self._tokenizer = tokenizer
        self._system_prompt = system_prompt
        self._known: dict[tuple[object, ...], Length] = {}

    def count(self, text: str) -> int:
        """Tokens of a text."""
        if isinstance(self._tokenizer, ChatTokenizer):
            return len(self._tokenizer.encode_rendered(self._tokenizer.defused(text)))
        return self._tokenizer(text)

    def length(self, example: Example) -> Length:
        """Of an example.

        Raises:
            ModelError: the model's chat template rejects it.
        """
        key = (example.messages, example.text, example.label)
        if key not in self._known:
            self._known[key] = self._measured(example)
        return self._known[key]

    def _measured(self, example: Example) -> Length:
        if self._task == "classify":
            tokens = self.count(example.text) + 2  # a beginning and an end
            return Length(tokens, 1, 1)
        if isinstance(self._tokenizer, ChatTokenizer):
            _, trained = encode(example, self._tokenizer, self._system_prompt)
            kept = sum(trained[: self.max_length])
            return Length(len(trained), sum(trained), kept)
        return self._estimated(example)

    def _estimated(self, example: Example) -> Length:
        tokens = trained = kept = 0
        for turn in conversation_of(example, self._system_prompt):
            size = self.count(turn.content) + 1
            tokens += _AROUND_TURN - 1
            if turn.role == "assistant":
                trained += size
                kept += max(0, min(size, self.max_length - tokens))
            tokens += size
        if not example.messages:
            tokens = trained = self.count(example.text) + 1
            kept = min(trained, self.max_length)
        return Length(tokens, trained, kept)


def histogram(lengths: Sequence[int]) -> tuple[Bar, ...]:
    """Bars of equal width, at most 24, from the shortest on; a few that are far longer share the
    last."""
    if not lengths:
        return ()
    ordered = sorted(lengths)
    usual = ordered[int(0.99 * (len(ordered) - 1))]
    spread = usual - ordered[0] + 1
    step = next((one for one in _STEPS if spread <= one * (_BARS - 2)), spread // (_BARS - 2) + 1)
    first = ordered[0] // step
    counts = [0] * (usual // step - first + 1)
    above = 0
    for length in ordered:
        if length // step - first < len(counts):
            counts[length // step - first] += 1
        else:
            above += 1
    bars = [
        Bar(low=at * step, high=(at + 1) * step, count=count)
        for at, count in enumerate(counts, first)
    ]
    if above:
        bars.append(Bar(low=bars[-1].high, high=ordered[-1] + 1, count=above))
    return tuple(bars)
