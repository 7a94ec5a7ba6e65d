"""What a handler may change on the chat's screen; what it leaves out stays as it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import gradio as gr

from chatapp.records import Sampling
from chatapp.ui.render import ChatbotMessage


@dataclass(frozen=True, slots=True)
class Picker:
    """The persona picker: names with their ids, and the one that is chosen."""

    choices: Sequence[tuple[str, str]]
    chosen: str


RANGES: Final[Mapping[str, tuple[float, float, float]]] = {
    "temperature": (0, 2, 0.05),
    "top_p": (0.05, 1, 0.05),
    "top_k": (0, 1000, 1),
    "repetition_penalty": (0.5, 2, 0.05),
    "max_tokens": (1, 8192, 1),
}
"""Lowest, highest and step of each slider."""


@dataclass(frozen=True, slots=True)
class Controls:
    """The sampling controls, in the order they stand on the page."""

    temperature: float
    top_p: float
    top_k: float
    repetition_penalty: float
    max_tokens: float
    seed: float | None

    @classmethod
    def of(cls, sampling: Sampling) -> Controls:
        """The controls that ask for this sampling, or for the nearest their ranges allow."""

        def shown(name: str, value: float) -> float:
            low, high, _ = RANGES[name]
            return min(max(value, low), high)

        return cls(
            shown("temperature", sampling.temperature),
            shown("top_p", sampling.top_p),
            shown("top_k", sampling.top_k),
            shown("repetition_penalty", sampling.repetition_penalty),
            shown("max_tokens", sampling.max_tokens),
            sampling.seed,
        )

    def sampling(self, stop: tuple[str, ...] = ()) -> Sampling:
        """The sampling they ask for.

        Raises:
            InvalidRequest: a value is out of range.
        """
        return Sampling(
            max_tokens=int(self.max_tokens),
            temperature=float(self.temperature),
            top_p=float(self.top_p),
            top_k=int(self.top_k),
            repetition_penalty=float(self.repetition_penalty),
            seed=None if self.seed is None else int(self.seed),
            stop=stop,
        )


@dataclass(frozen=True, slots=True)
class Screen:
    """One frame, in the order of ``Parts.outputs``. None leaves a part as it is."""

    messages: Sequence[ChatbotMessage] | None = None
    turns: str | None = None
    current: str | None = None
    draft: str | None = None
    conversations: str | None = None
    welcome: str | None = None
    notice: str | None = None
    model_line: str | None = None
    persona: Picker | None = None
    instructions: str | None = None
    controls: Controls | None = None

    def values(self) -> list[object]:
        """One value an output."""
        return [
            _or_skip(self.messages),
            _or_skip(self.turns),
            _or_skip(self.current),
            _or_skip(self.draft),
            _or_skip(self.conversations),
            _or_skip(self.welcome),
            _or_skip(self.notice),
            _or_skip(self.model_line),
            self._persona(),
            _or_skip(self.instructions),
            *self._controls(),
        ]

    def _persona(self) -> object:
        if self.persona is None:
            return gr.skip()
        return gr.update(value=self.persona.chosen, choices=list(self.persona.choices))

    def _controls(self) -> list[object]:
        if self.controls is None:
            return [gr.skip() for _ in dataclasses.fields(Controls)]
        # As updates, since the seed's None means "empty" and not "unchanged".
        return [gr.update(value=value) for value in dataclasses.astuple(self.controls)]


def _or_skip(value: object) -> object:
    return gr.skip() if value is None else value
