"""One answer in the making: token ids in, visible text and figures out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from chatapp.events import Done
from chatapp.records import FinishReason, Timing, Usage


class Decoder(Protocol):
    """Turns token ids into text, one at a time."""

    def step(self, token_id: int) -> str:
        """The text that ``token_id`` completes."""
        ...


class StopText:
    """Lets text through until one of the stop texts appears, and never shows any of it.

    Text that may turn out to be the beginning of a stop text is held back.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.matched = False

    def feed(self, text: str) -> str:
        """The part of all text so far that may now be shown."""
        if self.matched:
            return ""
        self._held += text
        found = [(at + len(stop), at) for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            # The one that was complete first, so that it does not matter how the text is cut.
            self.matched = True
            return self._release(min(found)[1])
        return self._release(len(self._held) - self._suspicious())

    def flush(self) -> str:
        """What was held back, once it is clear that no more text comes."""
        return "" if self.matched else self._release(len(self._held))

    def _release(self, length: int) -> str:
        shown, self._held = self._held[:length], self._held[length:]
        return shown

    def _suspicious(self) -> int:
        """Length of the longest end of the held text that begins a stop text."""
        return max(
            (
                length
                for stop in self._stops
                for length in range(1, min(len(stop), len(self._held) + 1))
                if self._held.endswith(stop[:length])
            ),
            default=0,
        )


class Stopwatch:
    """Times one request: asked, in a slot, first text, done."""

    def __init__(self) -> None:
        self._asked = time.monotonic()
        self._slot: float | None = None
        self._first: float | None = None

    def slot(self) -> None:
        """The engine begins to work on the request."""
        self._slot = time.monotonic()

    def text(self) -> None:
        """Some text came; only the first counts."""
        self._first = self._first or time.monotonic()

    def read(self) -> Timing:
        """The timing up to now, in seconds."""
        now = time.monotonic()
        return Timing(
            queued=(self._slot or now) - self._asked,
            first_token=(self._first or now) - self._asked,
            total=now - self._asked,
        )


class Answer:
    """Collects one answer's tokens; knows what may be shown and when it is over."""

    def __init__(
        self,
        decoder: Decoder,
        *,
        eos_ids: frozenset[int],
        stop: Sequence[str],
        max_tokens: int,
        prompt_tokens: int,
    ) -> None:
        self._decoder = decoder
        self._eos_ids = eos_ids
        self._stop = StopText(stop)
        self._max_tokens = max_tokens
        self._prompt_tokens = prompt_tokens
        self._completion_tokens = 0
        self.watch = Stopwatch()
        self.ended: FinishReason | None = None
        """Why the answer is over; None while it goes on."""

    def feed(self, token_ids: Iterable[int]) -> str:
        """Take new tokens and return the text to show; tokens after the end are ignored.

        The last text, held back until then, is included when an end token or the length limit
        ends the answer.
        """
        shown: list[str] = []
        for token_id in token_ids:
            if self.ended:
                break
            shown.append(self._take(token_id))
        text = "".join(shown)
        if text:
            self.watch.text()
        return text

    def _take(self, token_id: int) -> str:
        if token_id in self._eos_ids:
            self.ended = "stop"
            return self._stop.flush()
        self._completion_tokens += 1
        text = self._stop.feed(self._decoder.step(token_id))
        if self._stop.matched:
            self.ended = "stop"
        elif self._completion_tokens >= self._max_tokens:
            self.ended = "length"
            text += self._stop.flush()
        return text

    def done(self, reason: FinishReason | None = None) -> Done:
        """The closing event. ``reason`` overrides how the answer ended."""
        usage = Usage(self._prompt_tokens, self._completion_tokens)
        return Done(reason or self.ended or "length", usage, self.watch.read())
