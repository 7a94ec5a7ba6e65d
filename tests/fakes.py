"""Stand-ins that behave: they do what they are told and remember what was asked of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from chatapp.engine.admission import Admission, Ticket
from chatapp.engine.answer import StopText, Stopwatch
from chatapp.errors import EngineDied, NotFound, PromptTooLong
from chatapp.events import Done, EngineEvent, Queued, Token
from chatapp.records import ChatMessage, EngineInfo, FinishReason, Sampling, Usage


class Pause:
    """A place in a scripted answer where the engine waits for the test."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._go_on = asyncio.Event()

    async def reached(self) -> None:
        """Wait until the engine waits here."""
        async with asyncio.timeout(10):
            await self._reached.wait()

    def go_on(self) -> None:
        """Let the engine continue."""
        self._go_on.set()

    async def hold(self) -> None:
        """The engine's side."""
        self._reached.set()
        await self._go_on.wait()


Piece = str | Pause | Exception


@dataclass
class Asked:
    """One request as it reached the engine."""

    messages: tuple[ChatMessage, ...]
    sampling: Sampling
    adapter: str | None
    ended: FinishReason | None = None
    """How it ended; None while it runs or waits, and after an exception."""


class FakeEngine:
    """An Engine whose tokens are words.

    ``say`` scripts the next answer: texts are tokens, a Pause waits for the test, an exception is
    raised. Without a script the last message comes back word by word. Queue, limits, stop texts,
    cancellation and token counts behave like a real engine's.
    """

    def __init__(
        self,
        *,
        context_length: int = 1024,
        max_running: int = 4,
        max_waiting: int = 4,
        model: str = "fake-model",
    ) -> None:
        self.info = EngineInfo(
            engine="fake",
            model=model,
            quantization="none",
            device="nowhere",
            context_length=context_length,
        )
        self.asked: list[Asked] = []
        self.ready = False
        self.closed = False
        self._scripts: deque[tuple[Piece, ...]] = deque()
        self._admission = Admission(max_running, max_waiting)
        self._adapters: dict[str, Path] = {}

    def say(self, *pieces: Piece) -> None:
        """Script the next answer that is not scripted yet."""
        self._scripts.append(pieces)

    async def start(self) -> None:
        self.ready, self.closed = True, False

    async def close(self) -> None:
        self.ready, self.closed = False, True

    def memory_bytes(self) -> int:
        return 123 * 1024 * 1024

    def load(self) -> tuple[int, int]:
        return self._admission.running, self._admission.waiting

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """One for each word and one for each message."""
        return sum(len(message.content.split()) + 1 for message in messages)

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        adapter: str | None = None,
    ) -> AsyncGenerator[EngineEvent, None]:
        prompt_tokens = await self.count_tokens(messages)
        if prompt_tokens >= self.info.context_length:
            raise PromptTooLong(prompt_tokens, self.info.context_length)
        if adapter is not None and adapter not in self._adapters:
            raise NotFound(f"There is no adapter named {adapter}.")
        if self.closed:
            raise EngineDied("The engine was closed.")
        ticket = self._admission.ticket()
        asked = Asked(tuple(messages), sampling, adapter)
        self.asked.append(asked)
        script = self._scripts.popleft() if self._scripts else _echo(messages)
        try:
            async with aclosing(self._run(asked, ticket, script, prompt_tokens)) as events:
                async for event in events:
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            asked.ended = "cancelled"
            raise
        finally:
            ticket.release()

    async def _run(
        self, asked: Asked, ticket: Ticket, script: tuple[Piece, ...], prompt_tokens: int
    ) -> AsyncGenerator[EngineEvent, None]:
        watch, stop, tokens = Stopwatch(), StopText(asked.sampling.stop), 0
        async for ahead in ticket.positions():
            yield Queued(ahead)
        watch.slot()
        reason: FinishReason = "stop"
        for piece in script:
            if isinstance(piece, Pause):
                await piece.hold()
                continue
            if isinstance(piece, Exception):
                raise piece
            tokens += 1
            if text := stop.feed(piece):
                watch.text()
                yield Token(text)
            await asyncio.sleep(0)
            if stop.matched:
                break
            if tokens >= asked.sampling.max_tokens:
                reason = "length"
                break
        if rest := stop.flush():
            yield Token(rest)
        asked.ended = reason
        yield Done(reason, Usage(prompt_tokens, tokens), watch.read())

    def adapters(self) -> tuple[str, ...]:
        return tuple(self._adapters)

    async def load_adapter(self, name: str, folder: Path) -> None:
        self._adapters[name] = folder

    async def unload_adapter(self, name: str) -> None:
        if name not in self._adapters:
            raise NotFound(f"There is no adapter named {name}.")
        del self._adapters[name]


def _echo(messages: Sequence[ChatMessage]) -> tuple[str, ...]:
    words = messages[-1].content.split()
    return tuple(word if i == 0 else f" {word}" for i, word in enumerate(words))
