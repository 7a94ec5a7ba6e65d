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
from chatapp.events import Done, EngineEvent, Event, Failed, Queued, Token, Trimmed
from chatapp.flows.grounded import Grounded
from chatapp.flows.route_answers import Asked
from chatapp.metrics import Metrics
from chatapp.prompting import Count, Fitted, fit
from chatapp.records import ChatMessage, EngineInfo, Sampling, Usage

log = logging.getLogger(__name__)

LoadAsked = Callable[[], Awaitable[Asked]]


@dataclass(slots=True)
class Progress:
    """How far an answer came; what is known of it when it does not end by itself."""

    watch: Stopwatch = field(default_factory=Stopwatch)
    prompt: tuple[ChatMessage, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dropped_turns: int = 0

    def asked(self, fitted: Fitted) -> None:
        """Take note of the prompt that the engine reads."""
        self.prompt = fitted.messages
        self.prompt_tokens = fitted.prompt_tokens
        self.dropped_turns = fitted.dropped_turns

    def written(self, event: EngineEvent) -> None:
        """Take note of an event of the engine's."""
        match event:
            case Queued(ahead=0):
                self.watch.slot()
            case Token():
                self.completion_tokens += 1

    def cancelled(self) -> Done:
        """The closing event of an answer that was stopped.

        Its tokens are counted by the engine's events, of which it may send fewer than tokens.
        """
        usage = Usage(self.prompt_tokens, self.completion_tokens)
        return Done("cancelled", usage, self.watch.read())


class Answering:
    """One engine, asked in one way by every face.

    Args:
        knowledge: what answers from collections; None answers everything with the engine alone.
    """

    def __init__(self, engine: Engine, metrics: Metrics, knowledge: Grounded | None = None) -> None:
        self._engine = engine
        self._metrics = metrics
        self._knowledge = knowledge

    @property
    def has_knowledge(self) -> bool:
        """Whether a collection can be answered from."""
        return self._knowledge is not None

    def answer(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        *,
        face: str,
        adapter: str | None = None,
        collection: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Answer the last of these messages; nothing is stored.

        Yields ``Trimmed? Queued* Token*`` and then ``Done`` or ``Failed``; from a collection, what
        ``Grounded.answer`` yields. Raises nothing. Closing the generator cancels the request.
        """

        async def given() -> Asked:
            question = messages[-1].content if messages else ""
            return Asked(messages, question, collection)

        return self.stream(given, sampling, Progress(), face, adapter)

    async def stream(
        self,
        load: LoadAsked,
        sampling: Sampling,
        progress: Progress,
        face: str,
        adapter: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Like ``answer``, for messages yet to be loaded; keeps ``progress`` up to date."""
        with self._metrics.answer(face) as meter:
            try:
                writer = Writing(self._engine, sampling, progress, adapter)
                async with aclosing(self._events(await load(), writer)) as events:
                    async for event in events:
                        match event:
                            case Queued(ahead) if ahead:
                                meter.queued()
                            case Token():
                                progress.watch.text()
                                meter.token()
                            case Done():
                                meter.done(event)
                        yield event
            except Exception as error:  # noqa: BLE001  the reader is told, the log knows more
                failed = as_failed(error)
                meter.failed(failed.code)
                yield failed

    def _events(self, asked: Asked, writer: Writing) -> AsyncGenerator[Event, None]:
        if not asked.messages:
            raise InvalidRequest("There is no message to answer.")
        grounded = asked.collection is not None and asked.messages[-1].role == "user"
        if self._knowledge is not None and grounded:
            return self._knowledge.answer(asked, writer)
        return writer.write(asked.messages)


class Writing:
    """The engine, ready to write one answer; a ``Writer``."""

    def __init__(
        self, engine: Engine, sampling: Sampling, progress: Progress, adapter: str | None
    ) -> None:
        self._engine = engine
        self._sampling = sampling
        self._progress = progress
        self.adapter = adapter
        self.count: Count = engine.count_tokens

    @property
    def info(self) -> EngineInfo:
        """What is answering."""
        return self._engine.info

    @property
    def budget(self) -> int:
        """Most tokens a prompt should take: up to a quarter of the context stays free for the
        answer."""
        context = self._engine.info.context_length
        return context - min(self._sampling.max_tokens, context // 4)

    @property
    def has_read(self) -> Sequence[ChatMessage]:
        """The prompt exactly as it was sent; empty before."""
        return self._progress.prompt

    async def write(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[Event, None]:
        """Fit the messages into the budget, and ask.

        The oldest turns make room. A last question that needs more than the budget is still
        answered, in fewer tokens.
        """
        context = self._engine.info.context_length
        fitted = await fit(messages, self.budget, self.count, limit=context)
        self._progress.asked(fitted)
        if fitted.dropped_turns:
            yield Trimmed(fitted.dropped_turns)
        # The engine refuses a prompt that leaves no room at all.
        room = max(1, min(self._sampling.max_tokens, context - fitted.prompt_tokens))
        stream = self._engine.stream(
            fitted.messages, replace(self._sampling, max_tokens=room), adapter=self.adapter
        )
        async with aclosing(stream) as events:
            async for event in events:
                self._progress.written(event)
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
