"""The fake engine keeps the engine contract too, as far as a script can."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from chatapp.engine.base import Engine
from chatapp.errors import ChatAppError
from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, Sampling
from tests.contract_models import Reciter
from tests.engine_contract import EngineContract, Messages
from tests.fakes import FakeEngine
from tests.tiny_models import TinyModel


class Speaking(FakeEngine):
    """Says a script letter by letter, or without end words that depend on the question."""

    def __init__(self, script: str | None, *, max_running: int, max_waiting: int) -> None:
        super().__init__(max_running=max_running, max_waiting=max_waiting)
        self._script = script

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling, adapter: str | None = None
    ) -> AsyncGenerator[EngineEvent, None]:
        if self._script is not None:
            self.say(*self._script)
        else:
            sound = sum(map(ord, messages[-1].content))
            self.say(*(f"{sound * n % 97} " for n in range(1, sampling.max_tokens + 1)))
        try:
            async with aclosing(super().stream(messages, sampling, adapter)) as stream:
                async for event in stream:
                    yield event
        except ChatAppError:
            self._scripts.clear()  # refused, so that its script was not taken
            raise


class TestFakeEngine(EngineContract):
    reads_models = False

    def make(self, folder: Path, model: TinyModel, *, max_running: int, max_waiting: int) -> Engine:
        script = model.script if isinstance(model, Reciter) else None
        return Speaking(script, max_running=max_running, max_waiting=max_waiting)

    def reference(self, folder: Path, messages: Messages, max_tokens: int) -> str | None:
        return None

    # A script is the same whatever the sampling and the adapter, and goes on after the end.
    test_temperature_makes_answers_differ = None  # type: ignore[assignment]
    test_seeds_are_honoured = None  # type: ignore[assignment]
    test_sampling_is_each_request_s_own = None  # type: ignore[assignment]
    test_repetition_penalty_acts = None  # type: ignore[assignment]
    test_an_adapter_changes_the_answer_and_the_base_stays = None  # type: ignore[assignment]
    test_unloading_waits_for_the_answers_in_progress = None  # type: ignore[assignment]
    test_a_broken_adapter_is_refused = None  # type: ignore[assignment]
    test_closing_the_engine_ends_running_requests = None  # type: ignore[assignment]
