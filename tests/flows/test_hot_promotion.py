"""On real engines: an answer in flight ends on the adapter it began with, the next has the new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from chatapp.engine.base import Engine
from chatapp.engine.models.dense_base import DenseBase
from chatapp.errors import ModelError
from chatapp.store import Database
from tests.adapters import Registry
from tests.contract_models import Babbler
from tests.engine_contract import WAIT, ask, greedy, hear, hear_until
from tests.faces.api_app import make_api
from tests.tiny_models import tiny_hf
from tests.unit.engine.test_openvino import tiny_engine
from tests.unit.engine.test_transformers import make_engine

QUESTION = ask("Please tell me about the refund and the return of the order.")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield database
    database.close()


@asynccontextmanager
async def started(kind: str, folder: Path) -> AsyncIterator[Engine]:
    engine: Engine
    if kind == "openvino":
        engine = tiny_engine(folder, Babbler())
    else:
        engine = make_engine(folder, Babbler())
    async with asyncio.timeout(WAIT):
        await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def says(engine: Engine, registry: Registry, choice: str = "live") -> str:
    adapter = await registry.adapters.pick(choice)
    return (await hear(engine.stream(QUESTION, greedy(48), adapter))).text


@pytest.mark.parametrize("kind", ["transformers", "openvino"])
async def test_promotion_and_rollback_while_answers_stream(
    kind: str, database: Database, tmp_path: Path
) -> None:
    base = DenseBase(str(tiny_hf(tmp_path / "base", Babbler())), tmp_path)
    async with started(kind, tmp_path / "engine") as engine:
        registry = Registry(database, tmp_path, engine, base)
        adapters = registry.adapters
        await adapters.load_live()
        registry.learn("warm", seed=7)
        registry.learn("cold", seed=8, contained=0.8)
        plain = await says(engine, registry)
        await adapters.promote("warm")
        warm = await says(engine, registry)
        assert warm != plain
        assert await says(engine, registry, "base") == plain

        in_flight = engine.stream(QUESTION, greedy(48), await adapters.pick("live"))
        began = await hear_until(in_flight, tokens=2)
        async with asyncio.timeout(WAIT):
            await adapters.promote("cold")
        cold = await says(engine, registry)
        assert cold not in (warm, plain)
        rest = await hear(in_flight)
        assert began.text + rest.text == warm

        async with asyncio.timeout(WAIT):
            await adapters.rollback("chat")
        assert await says(engine, registry) == warm
        assert await says(engine, registry, "cold") == cold
        await adapters.rollback("chat")
        assert await says(engine, registry) == plain

        # One that does not fit leaves what is live alone.
        registry.learn("broken", contained=0.9)
        await adapters.promote("warm")
        broken = Path(adapters.get("broken").folder) / "adapter_model.safetensors"
        broken.write_bytes(b"damaged")
        with pytest.raises(ModelError):
            await adapters.promote("broken")
        assert await says(engine, registry) == warm


async def test_the_api_answers_with_what_is_live(database: Database, tmp_path: Path) -> None:
    async with started("transformers", tmp_path / "engine") as engine:
        registry = Registry(database, tmp_path, engine)
        registry.learn("warm")
        transport = httpx.ASGITransport(make_api(engine, adapters=registry.adapters))
        async with httpx.AsyncClient(base_url="http://direct", transport=transport) as client:

            async def text(model: str) -> str:
                body = {
                    "model": model,
                    "messages": [{"role": "user", "content": "Hello there"}],
                    "max_tokens": 24,
                    "temperature": 0,
                }
                answer = await client.post("/v1/chat/completions", json=body)
                assert answer.status_code == 200, answer.text
                return str(answer.json()["choices"][0]["message"]["content"])

            before = await text("tiny")
            await registry.adapters.promote("warm")
            after = await text("tiny")
            assert before != after
            assert await text("tiny:base") == before
            assert await text("tiny:warm") == await text("warm") == after
