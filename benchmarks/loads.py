"""What is asked: the same conversations for every contender, made from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Messages = list[dict[str, str]]
Count = Callable[[Messages], int]
Kind = Literal["short", "long"]

LONG_TOKENS = 1_000
_SHARED_TOKENS = 200
"""How much of a long prompt is the system prompt that all of them share."""

_TOPICS = (
    "a lighthouse keeper",
    "the history of bread",
    "how bridges are built",
    "a lost suitcase",
    "life in a coral reef",
    "the first winter in a new town",
    "how clocks measure time",
    "a garden on a roof",
)
_WORDS = (
    "parcel order return refund account invoice delivery address courier warehouse customer "
    "payment voucher receipt warranty repair exchange shipment label pickup deadline policy "
    "support ticket agent request answer question product size colour stock price discount "
    "arrives leaves needs takes gives shows keeps costs within after before because unless "
    "every some three ten thirty working days weeks online in the at a with without for from"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Some sessions at once; each sends its next prompt as soon as it has its answer.

    Attributes:
        new_tokens: most tokens of an answer.
        seconds: when it is cut off; what came until then counts.
    """

    kind: Kind
    sessions: int
    rounds: int
    new_tokens: int
    seconds: float

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"{self.kind} x{self.sessions}"

    def prompts(self, count: Count) -> list[list[Messages]]:
        """One list of conversations for each session; no two are the same."""
        maker = PromptMaker(count, seed=f"{self.kind}-{self.sessions}")
        return [[maker.prompt(self.kind) for _ in range(self.rounds)] for _ in range(self.sessions)]


def loads(*, quick: bool) -> list[Load]:
    """1, 8 and 32 sessions, each with short and with 1,000-token prompts."""
    full = [
        Load(kind=kind, sessions=sessions, rounds=rounds, new_tokens=64, seconds=60)
        for kind in ("short", "long")
        for sessions, rounds in ((1, 5), (8, 2), (32, 1))
    ]
    if not quick:
        return full
    return [
        replace(load, rounds=1 if load.sessions > 1 else 2, new_tokens=32, seconds=8)
        for load in full
        if load.sessions < 32
    ]


class PromptMaker:
    """Writes prompts; the same seed writes the same ones."""

    def __init__(self, count: Count, seed: str) -> None:
        self._count = count
        self._random = random.Random(seed)
        self._shared = "You answer from the notes below. " + self._words(
            random.Random("shared"), _SHARED_TOKENS
        )

    def prompt(self, kind: Kind) -> Messages:
        """A conversation that invites a long answer."""
        return self._short() if kind == "short" else self.long(self._shared)

    def unique(self) -> Messages:
        """A long prompt that shares nothing with any other."""
        return self.long(self._words(self._random, _SHARED_TOKENS))

    def _short(self) -> Messages:
        topic, number = self._random.choice(_TOPICS), self._random.randrange(1_000_000)
        return [
            {
                "role": "user",
                "content": f"Write story number {number}, long and detailed, about {topic}.",
            }
        ]

    def long(self, system: str) -> Messages:
        """A prompt of ``LONG_TOKENS``, give or take a few."""
        ask = "Retell all of these notes as a long story, note by note, in many paragraphs."
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": f"Notes:\n\n{ask}"},
        ]
        notes = self._words(self._random, LONG_TOKENS - self._count(messages))
        messages[1]["content"] = f"Notes:\n{notes}\n{ask}"
        return messages

    def _words(self, source: random.Random, tokens: int) -> str:
        vocabulary = _WORDS.split()
        words = [source.choice(vocabulary) for _ in range(tokens)]
        while words and self._tokens(words) > tokens:
            words = words[: len(words) - max(1, (self._tokens(words) - tokens) // 2)]
        return " ".join(words)

    def _tokens(self, words: Sequence[str]) -> int:
        return self._count([{"role": "user", "content": " ".join(words)}])
