"""From messages to a measured stream of events: fit, ask the engine, count, translate failures."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from chatapp.engine.answer import Stopwatch
from chatapp.engine.base import Engine
from chatapp.errors import ChatAppError, InvalidRequest
from chatapp.events import Done, Event, Failed, Queued, Token, Trimmed
from chatapp.metrics import Metrics
from chatapp.prompting import fit
from chatapp.records import ChatMessage, Sampling, Usage

log = logging.getLogger(__name__)

LoadPrompt = Callable[[], Awaitable[Sequence[ChatMessage]]]


@dataclass(slots=True)
class Progress:
    """How far an answer came; what is known of it when it does not end by itself."""

    watch: Stopwatch = field(default_factory=Stopwatch)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dropped_turns: int = 0

    def seen(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case Trimmed(dropped_turns):
                self.dropped_turns = dropped_turns
            case Queued(ahead=0):
                self.watch.slot()
            case Token():
                self.watch.text()
                self.completion_tokens += 1

    def cancelled(self) -> Done:
        """The closing event of an answer that was stopped.

        Its tokens are counted by their events, of which an engine may send fewer than tokens.
        """
        usage = Usage(self.prompt_tokens, self.completion_tokens)
        return Done("cancelled", usage, self.watch.read())


class Answering:
    """One engine, asked in one way by every face."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics

    def answer(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        *,
        face: str,
        adapter: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Answer the last of these messages; nothing is stored.

        Yields ``Trimmed? Queued* Token*`` and then ``Done`` or ``Failed``; raises nothing. Closing
        the generator cancels the request.
        """

        async def given() -> Sequence[ChatMessage]:
            return messages

        return self.stream(given, sampling, Progress(), face, adapter)

    async def stream(
        self,
        load: LoadPrompt,
        sampling: Sampling,
        progress: Progress,
        face: str,
        adapter: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Like ``answer``, for messages yet to be loaded; keeps ``progress`` up to date."""
        with self._metrics.answer(face) as meter:
            try:
                fitted = self._fitted(await load(), sampling, progress, adapter)
                async with aclosing(fitted) as events:
                    async for event in events:
                        progress.seen(event)
                        match event:
                            case Queued(ahead) if ahead:
                                meter.queued()
                            case Token():
                                meter.token()
                            case Done():
                                meter.done(event)
                        yield event
            except Exception as error:  # noqa: BLE001  the reader is told, the log knows more
                failed = as_failed(error)
                meter.failed(failed.code)
                yield failed

    async def _fitted(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        progress: Progress,
        adapter: str | None,
    ) -> AsyncGenerator[Event, None]:
        """Keep up to a quarter of the context free for the answer, and ask.

        The oldest turns make room for it. A last question that needs more than the other three
        quarters is still answered, in fewer tokens.
        """
        if not messages:
            raise InvalidRequest("There is no message to answer.")
        context = self._engine.info.context_length
        budget = context - min(sampling.max_tokens, context // 4)
        fitted = await fit(messages, budget, self._engine.count_tokens, limit=context)
        progress.prompt_tokens = fitted.prompt_tokens
        if fitted.dropped_turns:
            yield Trimmed(fitted.dropped_turns)
        # The engine refuses a prompt that leaves no room at all.
        room = max(1, min(sampling.max_tokens, context - fitted.prompt_tokens))
        stream = self._engine.stream(
            fitted.messages, replace(sampling, max_tokens=room), adapter=adapter
        )
        async with aclosing(stream) as events:
            async for event in events:
                yield event


def as_failed(error: Exception) -> Failed:
    """Known errors speak for themselves; others are logged under a reference for the reader."""
    if isinstance(error, ChatAppError):
        field = error.facts.get("field")
        return Failed(
            error.code, error.sentence, error.retryable, None if field is None else str(field)
        )
    reference = secrets.token_hex(3)
    log.error("An answer failed (reference %s)", reference, exc_info=error)
    sentence = f"Something went wrong on our side (reference {reference}). Please try again."
    return Failed("InternalError", sentence, retryable=True)
