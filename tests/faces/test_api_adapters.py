"""Adapters and classifiers over HTTP: names that choose one, and ``POST /v1/classify``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import openai
import pytest
import pytest_asyncio

from chatapp.api.classify import MOST_TEXTS
from chatapp.store import Database
from tests.adapters import Registry, classify_report, classify_run
from tests.faces.api_app import PERSONA, WAIT, make_api, serving
from tests.fakes import FakeEngine, Pause

HELLO = [{"role": "user", "content": "one two three"}]
WORDS = {"refund": ["money", "back"], "delivery": ["parcel"]}


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(model="parrot")


@pytest.fixture
def registry(engine: FakeEngine, tmp_path: Path) -> Iterator[Registry]:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield Registry(database, tmp_path, engine)
    database.close()


@pytest_asyncio.fixture
async def address(engine: FakeEngine, registry: Registry) -> AsyncIterator[str]:
    await engine.start()
    asgi = make_api(engine, adapters=registry.adapters, classifying=registry.classifying)
    async with serving(asgi) as address:
        yield address


@pytest_asyncio.fixture
async def http(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, timeout=WAIT) as client:
        yield client


@pytest_asyncio.fixture
async def client(address: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=WAIT
    ) as client:
        yield client


async def test_a_name_chooses_the_adapter(
    client: openai.AsyncOpenAI, engine: FakeEngine, registry: Registry
):
    registry.learn("shop")
    registry.learn("other", contained=0.7)
    await registry.adapters.promote("shop")
    expected = {
        "parrot": ("shop", 1),
        "parrot:base": (None, 1),
        "parrot:other": ("other", 1),
        "other": ("other", 1),
        PERSONA.id: ("shop", 2),
        f"{PERSONA.id}:base": (None, 2),
        f"{PERSONA.id}:other": ("other", 2),
    }
    listed = {model.id async for model in client.models.list()}
    assert expected.keys() <= listed
    for name, (adapter, turns) in expected.items():
        answer = await client.chat.completions.create(model=name, messages=HELLO)
        assert answer.model == name
        asked = engine.asked[-1]
        assert (asked.adapter, len(asked.messages)) == (adapter, turns), name
        assert (await client.models.retrieve(name)).id == name


async def test_unknown_names_are_404(client: openai.AsyncOpenAI, registry: Registry):
    registry.learn("shop")
    for name in ("nobody", "parrot:nobody", "nobody:base", "parrot:", ":base", "shop:base"):
        with pytest.raises(openai.NotFoundError, match="GET /v1/models") as refused:
            await client.chat.completions.create(model=name, messages=HELLO)
        assert refused.value.code == "model_not_found"


async def test_a_stream_in_flight_ends_on_the_adapter_it_began_with(
    client: openai.AsyncOpenAI, engine: FakeEngine, registry: Registry
):
    registry.learn("old")
    registry.learn("new", contained=0.8)
    await registry.adapters.promote("old")
    pause = Pause()
    engine.say("one", pause, " two")
    stream = await client.chat.completions.create(model="parrot", messages=HELLO, stream=True)
    await pause.reached()
    async with asyncio.timeout(WAIT):
        await registry.adapters.promote("new")
    pause.go_on()
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == "one two"
    await client.chat.completions.create(model="parrot", messages=HELLO)
    assert [asked.adapter for asked in engine.asked] == ["old", "new"]
    await registry.adapters.rollback("chat")
    await client.chat.completions.create(model="parrot", messages=HELLO)
    assert engine.asked[-1].adapter == "old"


async def test_texts_are_sorted_by_every_live_classifier_or_one(
    http: httpx.AsyncClient, registry: Registry
):
    runs = registry.folder / "runs"
    moods = {"happy": ["thank"], "angry": ["bad"]}
    registry.adapters.register(classify_run(runs, "bank", WORDS, classify_report()))
    registry.adapters.register(
        classify_run(runs, "mood", moods, classify_report(), purpose="sentiment")
    )
    await registry.adapters.promote("bank")
    await registry.adapters.promote("mood")
    answer = await http.post("/v1/classify", json={"input": "Money back! Bad service."})
    assert answer.status_code == 200
    (text,) = answer.json()["data"]
    assert [(one["purpose"], one["model"], one["label"]) for one in text["labels"]] == [
        ("intent", "bank", "refund"),
        ("sentiment", "mood", "angry"),
    ]
    probabilities = text["labels"][0]["probabilities"]
    assert probabilities.keys() == WORDS.keys()
    assert sum(probabilities.values()) == pytest.approx(1)
    assert text["labels"][0]["confidence"] == probabilities["refund"]

    texts = ["My parcel", "My money", "钱"]
    for model in ("bank", "intent"):
        answer = await http.post("/v1/classify", json={"input": texts, "model": model})
        data = answer.json()["data"]
        assert [one["index"] for one in data] == [0, 1, 2]
        assert [one["labels"][0]["label"] for one in data][:2] == ["delivery", "refund"]
        assert all(len(one["labels"]) == 1 for one in data)


async def test_what_cannot_be_sorted_is_refused_by_name(
    http: httpx.AsyncClient, registry: Registry
):
    registry.learn("shop")
    registry.adapters.register(classify_run(registry.folder / "runs", "bank", WORDS))
    refused = {
        404: [{"input": "a"}, {"input": "a", "model": "topic"}, {"input": "a", "model": "who"}],
        400: [
            {"input": "a", "model": "shop"},
            {"input": " "},
            {"input": []},
            {"input": ["a", ""]},
            {"input": ["a"] * (MOST_TEXTS + 1)},
            {"input": 5},
            {},
        ],
        422: [{"input": "a", "top_k": 3}],
    }
    for status, requests in refused.items():
        for request in requests:
            answer = await http.post("/v1/classify", json=request)
            assert answer.status_code == status, request
            assert answer.json()["error"]["message"].endswith(".")
    assert "bank" in (await http.post("/v1/classify", json={"input": "a"})).text
    # One that is not live can be asked by its name.
    answer = await http.post("/v1/classify", json={"input": "a parcel", "model": "bank"})
    assert answer.json()["data"][0]["labels"][0]["label"] == "delivery"


async def test_classifying_needs_the_key_and_is_described(registry: Registry, engine: FakeEngine):
    asgi = make_api(engine, ["secret"], classifying=registry.classifying)
    transport = httpx.ASGITransport(asgi)
    async with httpx.AsyncClient(base_url="http://direct", transport=transport) as client:
        assert (await client.post("/v1/classify", json={"input": "a"})).status_code == 401
        paths = (await client.get("/openapi.json")).json()["paths"]
    described = paths["/v1/classify"]["post"]
    assert {"400", "401", "404", "413", "422"} <= described["responses"].keys()
