"""An engine that is started by its first request, and by nothing before."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from chatapp.engine.on_demand import OnDemandEngine
from chatapp.errors import ModelError
from chatapp.events import Token
from chatapp.records import ChatMessage, Sampling
from tests.fakes import FakeEngine

HELLO = [ChatMessage("user", "Hello there")]


class Counted(FakeEngine):
    """Counts how often it was started."""

    starts = 0

    async def start(self) -> None:
        self.starts += 1
        await asyncio.sleep(0)
        await super().start()


async def said(engine: OnDemandEngine) -> str:
    async with aclosing(engine.stream(HELLO, Sampling())) as events:
        return "".join([event.text async for event in events if isinstance(event, Token)])


async def test_nothing_is_loaded_until_something_is_asked() -> None:
    engine = Counted()
    lazy = OnDemandEngine(engine)
    await lazy.start()
    assert lazy.info == engine.info
    assert (lazy.ready, engine.starts, lazy.memory_bytes()) == (False, 0, 0)
    assert await lazy.count_tokens(HELLO) == 3
    assert (lazy.ready, engine.starts) == (True, 1)
    assert lazy.memory_bytes() == engine.memory_bytes()
    await lazy.close()
    assert engine.closed


async def test_requests_at_once_start_it_once() -> None:
    engine = Counted()
    lazy = OnDemandEngine(engine)
    assert await asyncio.gather(*(said(lazy) for _ in range(3))) == ["Hello there"] * 3
    assert engine.starts == 1
    assert lazy.load() == (0, 0)


async def test_one_that_has_to_start_to_know_its_context_starts_at_once() -> None:
    engine = Counted()
    engine.info = replace(engine.info, context_length=0)
    await OnDemandEngine(engine).start()
    assert engine.starts == 1


async def test_the_live_adapter_answers_who_names_none(tmp_path: Path) -> None:
    engine = FakeEngine()
    lazy = OnDemandEngine(engine, ("shop", tmp_path))
    assert await said(lazy) == "Hello there"
    assert engine.asked[-1].adapter == "shop"


async def test_the_base_answers_for_an_adapter_that_is_broken(tmp_path: Path) -> None:
    class Refusing(FakeEngine):
        async def load_adapter(self, name: str, folder: Path) -> None:
            raise ModelError("It does not fit.")

    engine = Refusing()
    assert await said(OnDemandEngine(engine, ("shop", tmp_path))) == "Hello there"
    assert engine.asked[-1].adapter is None
