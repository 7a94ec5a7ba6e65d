"""The ZeroGPU engine, with a stand-in for the ``spaces`` package."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from chatapp.engine.base import Engine
from chatapp.engine.transformers.zerogpu import ZeroGPUEngine, gpu_seconds
from chatapp.errors import EngineError
from chatapp.records import Sampling
from tests.contract_models import Babbler
from tests.engine_contract import WAIT, EngineContract, ask, greedy, hear, hear_until
from tests.tiny_models import TinyModel, tiny_hf


class Spaces(ModuleType):
    """``spaces`` as it is on ZeroGPU: calls are counted, allotted seconds, and can be refused."""

    def __init__(self) -> None:
        super().__init__("spaces")
        self.zero = ModuleType("spaces.zero")
        self.zero.startup = self._startup  # type: ignore[attr-defined]
        self.marked: list[str] = []
        self.reported: list[str] = []
        self.seconds: list[int] = []
        self.visitors: list[str] = []
        self.closed = 0
        self.refusal: Exception | None = None

    def _startup(self) -> None:
        self.reported = list(self.marked)

    def GPU(self, duration: Callable[..., int]) -> Callable[..., Callable[..., Iterator[int]]]:  # noqa: N802
        def mark(task: Callable[..., Iterator[int]]) -> Callable[..., Iterator[int]]:
            self.marked.append(task.__name__)

            def on_gpu(*arguments: object) -> Iterator[int]:
                self.seconds.append(duration(*arguments))
                self.visitors.append(VISITOR.get("nobody"))
                if self.refusal is not None:
                    raise self.refusal
                try:
                    yield from task(*arguments)
                finally:
                    self.closed += 1

            return on_gpu

        return mark


VISITOR: contextvars.ContextVar[str] = contextvars.ContextVar("visitor")


@pytest.fixture(autouse=True)
def spaces(monkeypatch: pytest.MonkeyPatch) -> Spaces:
    module = Spaces()
    monkeypatch.setitem(sys.modules, "spaces", module)
    return module


@pytest.fixture(autouse=True, scope="class")
def spaces_for_the_class() -> Iterator[None]:
    """The contract's engines start before a test's own fixtures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "spaces", Spaces())
        yield


class TestZeroGPUEngine(EngineContract):
    has_adapters = False
    # It writes one answer at a time, as ZeroGPU demands.
    test_requests_are_batched_not_queued = None  # type: ignore[assignment]
    test_sampling_is_each_request_s_own = None  # type: ignore[assignment]
    test_a_failing_request_does_not_harm_its_neighbours = None  # type: ignore[assignment]

    def make(self, folder: Path, model: TinyModel, *, max_running: int, max_waiting: int) -> Engine:
        waiting = max_waiting if max_running == 1 else 12
        return ZeroGPUEngine(tiny_hf(folder / "model", model), "tiny", max_waiting=waiting)


@pytest.fixture
async def engine(tmp_path: Path) -> ZeroGPUEngine:
    engine = ZeroGPUEngine(tiny_hf(tmp_path, Babbler()), "tiny")
    await engine.start()
    return engine


async def test_zerogpu_hears_about_the_function(engine: ZeroGPUEngine, spaces: Spaces) -> None:
    assert spaces.reported == ["generate"]


async def test_a_refusal_of_the_gpu_is_said_without_html(
    engine: ZeroGPUEngine, spaces: Spaces
) -> None:
    spaces.refusal = RuntimeError("You have <b>no quota</b> left.<br>Sign up")
    with pytest.raises(EngineError, match=r"You have no quota left\. Sign up$"):
        await hear(engine.stream(ask("Hi"), greedy()))
    spaces.refusal = None
    assert (await hear(engine.stream(ask("Hi"), greedy(3)))).text
    assert engine.load() == (0, 0)


async def test_the_visitor_is_known_where_the_gpu_is_asked_for(
    engine: ZeroGPUEngine, spaces: Spaces
) -> None:
    VISITOR.set("anna")
    await hear(engine.stream(ask("Hi"), greedy(3)))
    assert spaces.visitors == ["anna"]


async def test_a_closed_answer_closes_the_function(engine: ZeroGPUEngine, spaces: Spaces) -> None:
    stream = engine.stream(ask("A long one"), greedy(400))
    await hear_until(stream, tokens=1)
    async with asyncio.timeout(WAIT):
        await stream.aclose()
    assert spaces.closed == 1


def test_longer_answers_ask_for_more_seconds_but_never_too_many() -> None:
    def seconds(prompt: int, new: int) -> int:
        return gpu_seconds([0] * prompt, Sampling(), new, frozenset())

    assert seconds(10, 100) < seconds(10, 1_000) <= seconds(8_000, 1_000)
    assert seconds(16_000, 100_000) == 120
