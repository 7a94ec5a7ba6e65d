"""Answers from collections over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import openai
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr

from chatapp.api.app import create_api
from chatapp.flows.answering import Answering
from chatapp.metrics import Metrics
from chatapp.phrases import phrases
from tests.faces.api_app import PERSONA, WAIT, make_api, serving, until
from tests.fake_answers import Notes, a_passage, an_entry, make_grounded
from tests.fakes import FakeEngine, Pause

RETURNS = a_passage("Unused tents can be returned within 30 days.", title="Handbook", page=4)
REFUND = an_entry("Within *5* days.  ", "When do I get my money back?")
SHOP = replace(PERSONA, id="shop", collection="public")
QUESTION = "Can unused tents be returned?"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(model="parrot", max_running=1, max_waiting=0)


@pytest.fixture
def asgi(engine: FakeEngine) -> FastAPI:
    metrics = Metrics()
    knowledge = make_grounded(
        RETURNS, faqs=[REFUND], style="compose", notes=Notes(names=("public",))
    )
    answering = Answering(engine, metrics, knowledge)
    return create_api(answering, engine, metrics, {"shop": SHOP, "pirate": PERSONA})


@pytest_asyncio.fixture
async def http(asgi: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(asgi)
    async with httpx.AsyncClient(base_url="http://direct", transport=transport) as client:
        yield client


async def ask(http: httpx.AsyncClient, question: str, **fields: object) -> httpx.Response:
    messages = [{"role": "user", "content": question}]
    return await http.post("/v1/chat/completions", json={"messages": messages} | fields)


def text_of(body: dict[str, object]) -> str:
    return body["choices"][0]["message"]["content"]  # type: ignore[index]


async def test_an_faq_answer_comes_word_for_word(engine: FakeEngine, http: httpx.AsyncClient):
    body = (await ask(http, "when do i get my money back", collection="public")).json()
    assert (text_of(body), body["route"]) == (REFUND.answer, "faq")
    assert body["sources"] == [
        {
            "number": 1,
            "document": "FAQ",
            "title": REFUND.questions[0],
            "heading": [],
            "page": None,
            "text": REFUND.answer,
            "relevance": 1.0,
            "cited": True,
        }
    ]
    assert body["flags"] == []
    assert body["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert body["choices"][0]["finish_reason"] == "stop"
    assert engine.asked == []


async def test_sources_and_flags_stand_beside_the_text(engine: FakeEngine, http: httpx.AsyncClient):
    engine.say("Unused tents can be returned. We run a club.")
    body = (await ask(http, QUESTION, collection="public")).json()
    assert text_of(body) == "Unused tents can be returned. [1] We run a club."
    assert body["route"] == "sources"
    (source,) = body["sources"]
    assert (source["title"], source["page"], source["cited"]) == ("Handbook", 4, True)
    (flag,) = body["flags"]
    assert text_of(body)[flag["start"] : flag["end"]] == "We run a club."
    assert flag["reason"] == "unsupported"


async def test_a_refusal_says_so(engine: FakeEngine, http: httpx.AsyncClient):
    body = (await ask(http, "Where may a yacht be parked?", collection="public")).json()
    assert body["route"] == "refused"
    assert text_of(body).startswith(phrases("en").refusal)
    assert engine.asked == []


async def test_a_persona_brings_its_collection(engine: FakeEngine, http: httpx.AsyncClient):
    body = (await ask(http, REFUND.questions[0], model="shop")).json()
    assert (text_of(body), body["route"]) == (REFUND.answer, "faq")
    body = (await ask(http, "Hello!", model="shop")).json()
    assert (body["route"], body["sources"]) == ("persona", [])


@pytest.mark.parametrize("fields", [{}, {"model": "parrot"}, {"model": "pirate"}])
async def test_without_a_collection_nothing_changes(
    http: httpx.AsyncClient, fields: dict[str, object]
):
    body = (await ask(http, REFUND.questions[0], **fields)).json()
    assert text_of(body) == REFUND.questions[0]
    assert not {"route", "sources", "flags"} & set(body)
    frames = (await ask(http, "one two", stream=True, **fields)).text
    assert "route" not in frames


async def test_a_stream_carries_them_where_it_says_how_it_ended(http: httpx.AsyncClient):
    response = await ask(http, REFUND.questions[0], collection="public", stream=True)
    frames = response.text.strip().split("\n\n")
    assert frames[-1] == "data: [DONE]"
    chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames[:-1]]
    *text, last = chunks
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in text) == REFUND.answer
    assert not any("route" in chunk for chunk in text)
    assert last["choices"][0]["finish_reason"] == "stop"
    assert (last["route"], last["flags"]) == ("faq", [])
    assert last["sources"][0]["text"] == REFUND.answer


async def test_an_unknown_collection_is_not_found(http: httpx.AsyncClient):
    for stream in (False, True):
        response = await ask(http, "Hi", collection="secrets", stream=stream)
        assert response.status_code == 404
        assert "secrets" in response.json()["error"]["message"]


async def test_what_no_persona_answers_from_is_for_staff_and_for_callers_with_a_key(
    engine: FakeEngine,
):
    for keys, staff, status in (((), False, 404), ((), True, 200), (("k",), False, 200)):
        knowledge = make_grounded(RETURNS, faqs=[REFUND], notes=Notes(names=("public", "internal")))
        answering = Answering(engine, Metrics(), knowledge)
        asgi = create_api(
            answering,
            engine,
            Metrics(),
            {"shop": SHOP},
            [SecretStr(key) for key in keys],
            lambda _, staff=staff: staff,
        )
        client = httpx.AsyncClient(
            base_url="http://direct",
            transport=httpx.ASGITransport(asgi),
            headers={"Authorization": "Bearer k"},
        )
        async with client:
            response = await ask(client, REFUND.questions[0], collection="internal")
        assert response.status_code == status
        assert ("open to you" in response.text) is (status == 404)


async def test_where_there_is_no_knowledge_the_field_is_refused(engine: FakeEngine):
    transport = httpx.ASGITransport(make_api(engine))
    async with httpx.AsyncClient(base_url="http://direct", transport=transport) as http:
        response = await ask(http, "Hi", collection="public")
    assert response.status_code == 422
    assert response.json()["error"]["param"] == "collection"


@pytest.mark.parametrize("value", [5, ["public"]])
async def test_a_collection_is_a_name(http: httpx.AsyncClient, value: object):
    response = await ask(http, "Hi", collection=value)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "collection"


async def test_the_faq_answers_the_openai_client_while_the_model_is_busy(
    engine: FakeEngine, asgi: FastAPI
):
    pause = Pause()
    engine.say(pause, "Done.")
    async with (
        serving(asgi) as address,
        openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client,
        asyncio.timeout(WAIT),
    ):
        busy = asyncio.create_task(
            client.chat.completions.create(
                model="parrot", messages=[{"role": "user", "content": "Hi"}]
            )
        )
        await pause.reached()
        answer = await client.chat.completions.create(
            model="shop", messages=[{"role": "user", "content": REFUND.questions[0]}]
        )
        assert answer.choices[0].message.content == REFUND.answer
        assert (answer.model_extra or {})["route"] == "faq"
        pause.go_on()
        await busy


async def test_a_client_that_leaves_stops_the_engine(engine: FakeEngine, asgi: FastAPI):
    pause = Pause()
    engine.say("Unused tents can be returned. And", pause)
    async with (
        serving(asgi) as address,
        httpx.AsyncClient(base_url=address, timeout=WAIT) as http,
    ):
        asking = asyncio.create_task(ask(http, QUESTION, collection="public", stream=True))
        await pause.reached()
        asking.cancel()
        await until(lambda: engine.load() == (0, 0))
    assert engine.asked[0].ended == "cancelled"


async def test_the_documentation_shows_what_is_added(http: httpx.AsyncClient):
    schemas = (await http.get("/openapi.json")).json()["components"]["schemas"]
    assert "collection" in schemas["ChatCompletionRequest"]["properties"]
    assert {"route", "sources", "flags"} <= set(schemas["ChatCompletion"]["properties"])
