"""An engine that steps aside: what runs is finished, what comes meanwhile hears why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatapp.engine.base import Engine
from chatapp.engine.pausing import PausingEngine
from chatapp.errors import EnginePaused
from chatapp.events import Token
from chatapp.records import ChatMessage, Sampling
from tests.fakes import FakeEngine, Pause

ASKED = [ChatMessage("user", "Hello there")]


async def answer(engine: Engine) -> str:
    events = [event async for event in engine.stream(ASKED, Sampling())]
    return "".join(event.text for event in events if isinstance(event, Token))


@pytest.fixture
async def inner() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def engine(inner: FakeEngine) -> PausingEngine:
    engine = PausingEngine(inner)
    await engine.start()
    return engine


async def test_it_passes_everything_on(engine: PausingEngine, inner: FakeEngine) -> None:
    assert engine.ready
    assert "Hello" in await answer(engine)
    assert engine.info == inner.info
    assert await engine.count_tokens(ASKED) == await inner.count_tokens(ASKED)
    assert engine.load() == (0, 0)


async def test_it_steps_aside_and_comes_back_with_its_adapters(
    engine: PausingEngine, inner: FakeEngine, tmp_path: Path
) -> None:
    await engine.load_adapter("shop", tmp_path)
    await engine.pause(lambda: "Back in 3 min.")
    assert not engine.ready
    assert not inner.ready
    with pytest.raises(EnginePaused, match="Back in 3 min"):
        await answer(engine)
    await engine.load_adapter("newer", tmp_path)
    await engine.unload_adapter("shop")
    assert engine.adapters() == ("newer",)
    await engine.resume()
    assert engine.ready
    assert "newer" in inner.adapters()
    assert "Hello" in await answer(engine)
    await engine.resume()


async def test_an_answer_that_is_being_written_is_finished_first(
    engine: PausingEngine, inner: FakeEngine
) -> None:
    pause = Pause()
    inner.say("one ", pause, "two")
    writing = asyncio.create_task(answer(engine))
    await pause.reached()
    pausing = asyncio.create_task(engine.pause(lambda: "Learning."))
    await asyncio.sleep(0)  # lets it begin
    with pytest.raises(EnginePaused):
        await answer(engine)
    assert not pausing.done()
    pause.go_on()
    assert await writing == "one two"
    await pausing
    assert not inner.ready
