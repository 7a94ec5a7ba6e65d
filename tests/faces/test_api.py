from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import openai
import pytest
import pytest_asyncio

from chatapp.api.limits import MAX_BODY_BYTES
from chatapp.errors import EngineDied, PromptTooLong, UnsupportedField
from chatapp.metrics import Metrics
from tests.faces.api_app import PERSONA, WAIT, make_api, serving, until
from tests.fakes import FakeEngine, Pause

HELLO = [{"role": "user", "content": "one two three 四 😀 six"}]
TEXT = "one two three 四 😀 six"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(model="parrot", max_running=8)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest_asyncio.fixture
async def address(engine: FakeEngine, metrics: Metrics) -> AsyncIterator[str]:
    await engine.start()
    await engine.load_adapter("warm", Path("warm"))
    async with serving(make_api(engine, metrics=metrics)) as address:
        yield address


@pytest_asyncio.fixture
async def http(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, timeout=WAIT) as client:
        yield client


@pytest_asyncio.fixture
async def direct(engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    """Without a socket: quicker, and good enough where nothing streams and nobody leaves."""
    await engine.start()
    await engine.load_adapter("warm", Path("warm"))
    transport = httpx.ASGITransport(make_api(engine))
    async with httpx.AsyncClient(base_url="http://direct", transport=transport) as client:
        yield client


@pytest_asyncio.fixture
async def client(address: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=WAIT
    ) as client:
        yield client


async def ask(http: httpx.AsyncClient, **fields: object) -> httpx.Response:
    return await http.post("/v1/chat/completions", json={"messages": HELLO} | fields)


def error_of(response: httpx.Response) -> dict[str, str | None]:
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["message"].endswith(".")
    return body["error"]


# --- answers ---


async def test_the_openai_client_streams_eight_at_once_with_usage(client: openai.AsyncOpenAI):
    async def one(number: int) -> None:
        text = f"{TEXT} {number} " + "and on " * 20
        stream = await client.chat.completions.create(
            model="parrot",
            messages=[{"role": "user", "content": text}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        *body, last = chunks
        said = [chunk.choices[0].delta.content or "" for chunk in body]
        assert "".join(said) == text.strip()
        assert len([piece for piece in said if piece]) == 47
        assert body[0].choices[0].delta.role == "assistant"
        assert [chunk.choices[0].finish_reason for chunk in body] == [None] * (len(body) - 1) + [
            "stop"
        ]
        assert all(chunk.usage is None for chunk in body)
        assert last.choices == []
        assert last.usage is not None
        assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (48, 47)
        assert last.usage.total_tokens == 95
        assert len({chunk.id for chunk in chunks}) == 1
        assert {chunk.model for chunk in chunks} == {"parrot"}

    async with asyncio.timeout(WAIT):
        await asyncio.gather(*(one(number) for number in range(8)))


async def test_the_openai_client_gets_a_whole_answer(client: openai.AsyncOpenAI):
    answer = await client.chat.completions.create(model="parrot", messages=HELLO, max_tokens=3)
    assert answer.choices[0].message.content == "one two three"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)
    assert answer.id.startswith("chatcmpl-")


async def test_without_usage_no_frame_speaks_of_it(http: httpx.AsyncClient):
    response = await ask(http, stream=True)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    frames = response.text.split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]
    assert not any("usage" in chunk for chunk in chunks)
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == TEXT


async def test_text_is_sent_the_moment_it_comes(engine: FakeEngine, client: openai.AsyncOpenAI):
    pause = Pause()
    engine.say("one ", "two", pause, " three")
    async with asyncio.timeout(WAIT):
        stream = await client.chat.completions.create(model="parrot", messages=HELLO, stream=True)
        seen = ""
        while seen != "one two":
            seen += (await anext(stream)).choices[0].delta.content or ""
        pause.go_on()
        async for chunk in stream:
            seen += chunk.choices[0].delta.content or ""
    assert seen == "one two three"


async def test_sampling_reaches_the_engine(engine: FakeEngine, direct: httpx.AsyncClient):
    given = {"temperature": 1, "top_p": 0.5, "top_k": 7, "repetition_penalty": 1.2, "seed": 5}
    response = await ask(direct, **given, max_completion_tokens=4, stop=["six", "seven"])
    assert response.status_code == 200
    sampling = engine.asked[0].sampling
    assert {name: getattr(sampling, name) for name in given} == given
    assert (sampling.max_tokens, sampling.stop) == (4, ("six", "seven"))
    assert engine.asked[0].adapter is None


@pytest.mark.parametrize("stop", ["four 😀", ["nothing", "three 四"], "e"])
async def test_stop_texts_end_the_answer(direct: httpx.AsyncClient, stop: str | list[str]):
    response = await ask(direct, stop=stop, messages=[{"role": "user", "content": TEXT}])
    text = response.json()["choices"][0]["message"]["content"]
    expected = min(
        (TEXT.find(one) for one in ([stop] if isinstance(stop, str) else stop) if one in TEXT),
        default=len(TEXT),
    )
    assert text == TEXT[:expected]


async def test_text_parts_and_roles(engine: FakeEngine, direct: httpx.AsyncClient):
    parts = [{"type": "text", "text": "first"}, {"type": "text", "text": "second"}]
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?", "refusal": None, "tool_calls": None},
        {"role": "user", "content": parts},
    ]
    assert (await ask(direct, messages=messages)).status_code == 200
    asked = [(message.role, message.content) for message in engine.asked[0].messages]
    assert asked == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Yes?"),
        ("user", "first\nsecond"),
    ]


async def test_dropped_turns_are_told(http: httpx.AsyncClient):
    turns = [{"role": "user", "content": "word " * 400}, {"role": "assistant", "content": "Ok"}]
    for stream in (False, True):
        response = await ask(http, messages=turns * 3 + HELLO, stream=stream)
        assert response.headers["x-dropped-turns"] == "2"
    assert "x-dropped-turns" not in (await ask(http)).headers


# --- models ---


async def test_models_are_the_model_its_adapters_and_the_personas(client: openai.AsyncOpenAI):
    listed = {model.id: model.owned_by async for model in client.models.list()}
    assert listed == {
        "parrot": "model",
        "warm": "adapter",
        "pirate": "persona",
        "parrot:base": "model",
        "parrot:warm": "model",
        "pirate:base": "persona",
        "pirate:warm": "persona",
    }
    assert (await client.models.retrieve("pirate")).id == "pirate"
    with pytest.raises(openai.NotFoundError) as missing:
        await client.models.retrieve("gpt-9")
    assert missing.value.code == "model_not_found"


async def test_a_persona_brings_its_system_prompt_and_its_sampling(
    engine: FakeEngine, direct: httpx.AsyncClient
):
    await ask(direct, model="pirate")
    messages, sampling = engine.asked[-1].messages, engine.asked[-1].sampling
    assert (messages[0].role, messages[0].content) == ("system", PERSONA.system_prompt)
    assert (sampling.max_tokens, sampling.temperature) == (77, 0.2)
    own = [{"role": "system", "content": "Be a monk."}, *HELLO]
    await ask(direct, model="pirate", messages=own, temperature=1.5)
    messages, sampling = engine.asked[-1].messages, engine.asked[-1].sampling
    assert [message.content for message in messages] == ["Be a monk.", TEXT]
    assert (sampling.max_tokens, sampling.temperature) == (77, 1.5)


async def test_an_adapter_answers_under_its_name(engine: FakeEngine, direct: httpx.AsyncClient):
    response = await ask(direct, model="warm")
    assert response.json()["model"] == "warm"
    assert engine.asked[-1].adapter == "warm"


async def test_an_unknown_model_is_not_found(direct: httpx.AsyncClient):
    response = await ask(direct, model="gpt-9")
    assert response.status_code == 404
    assert error_of(response)["code"] == "model_not_found"
    assert error_of(response)["param"] == "model"


async def test_tokens_are_counted(direct: httpx.AsyncClient):
    response = await direct.post("/tokenize", json={"model": "parrot", "messages": HELLO})
    assert response.json() == {"count": 7, "max_model_len": 1024}


# --- what is refused, and how ---

IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}
ONE = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"store": True}, "store"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"temprature": 0.5}, "temprature"),
        ({"stream": True, "stream_options": {"chunk_size": 5}}, "stream_options.chunk_size"),
        ({"messages": [{"role": "tool", "content": "42"}]}, "messages[0].role"),
        ({"messages": [ONE, {"role": "user", "content": [IMAGE]}]}, "messages[1].content[0]"),
        ({"messages": [ONE | {"name": "Ann"}]}, "messages[0].name"),
        ({"messages": [ONE | {"tool_calls": [{"id": "1"}]}]}, "messages[0].tool_calls"),
    ],
)
async def test_unsupported_fields_are_refused_by_name(
    direct: httpx.AsyncClient, engine: FakeEngine, fields: dict[str, object], param: str
):
    response = await ask(direct, **fields)
    error = error_of(response)
    assert response.status_code == 422
    assert error["param"] == param
    assert param in str(error["message"])
    assert (error["code"], error["type"]) == ("UnsupportedField", "invalid_request_error")
    assert engine.asked == []


NEUTRAL = {
    "n": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0.0,
    "logprobs": False,
    "logit_bias": {},
    "tools": [],
    "tool_choice": "auto",
    "response_format": {"type": "text"},
    "user": "somebody",
    "metadata": {"team": "x"},
    "store": False,
    "service_tier": "auto",
    "functions": None,
    "seed": None,
    "stop": None,
    "stream_options": None,
}


async def test_fields_that_ask_for_nothing_are_accepted(direct: httpx.AsyncClient):
    assert (await ask(direct, **NEUTRAL)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        ({"seed": -1}, "seed"),
        ({"stop": [""]}, "stop"),
        ({"stop": 5}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [5]}, "messages[0]"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0]"),
    ],
)
async def test_wrong_values_are_named_in_a_sentence(
    direct: httpx.AsyncClient, engine: FakeEngine, fields: dict[str, object], param: str
):
    response = await ask(direct, **fields)
    assert response.status_code == 400, response.text
    assert error_of(response)["param"] == param
    assert param.split(".")[0].split("[")[0] in str(error_of(response)["message"])
    assert engine.asked == []


@pytest.mark.parametrize(
    ("body", "kind", "part"),
    [
        (b'{"messages": [}', "application/json", "not valid JSON"),
        (b"\xff\xfe", "application/json", ""),
        (b"[1]", "application/json", "JSON object"),
        (b'{"messages": []}', "text/plain", "Content-Type: application/json"),
        (b"", "application/json", ""),
    ],
)
async def test_bodies_that_are_not_json_objects(
    direct: httpx.AsyncClient, body: bytes, kind: str, part: str
):
    response = await direct.post(
        "/v1/chat/completions", content=body, headers={"Content-Type": kind}
    )
    assert response.status_code == 400
    assert part in str(error_of(response)["message"])


async def test_bodies_that_are_too_large(http: httpx.AsyncClient):
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65_536 + 1):
            yield b"x" * 65_536

    for body in (b"x" * (MAX_BODY_BYTES + 1), endless()):
        response = await http.post("/v1/chat/completions", content=body)
        assert response.status_code == 413
        assert "too large" in str(error_of(response)["message"])


@pytest.mark.parametrize("stream", [False, True])
async def test_errors_before_the_first_token_are_statuses(
    engine: FakeEngine, http: httpx.AsyncClient, stream: bool
):
    expected = [
        (PromptTooLong(2_000, 1_000), 400, "context_length_exceeded", "invalid_request_error"),
        (UnsupportedField("top_k", "No top_k."), 422, "UnsupportedField", "invalid_request_error"),
        (EngineDied("It died."), 503, "EngineDied", "server_error"),
        (RuntimeError("secret detail"), 500, "InternalError", "server_error"),
    ]
    for failure, status, code, kind in expected:
        engine.say(failure)
        response = await ask(http, stream=stream)
        assert response.status_code == status
        assert (error_of(response)["code"], error_of(response)["type"]) == (code, kind)
        assert "secret detail" not in response.text
    engine.say(UnsupportedField("top_k", "No top_k."))
    assert error_of(await ask(http, stream=stream))["param"] == "top_k"
    response = await ask(http, stream=stream, messages=[ONE | {"content": "word " * 1_100}])
    assert response.status_code == 400
    assert "1,101 tokens long" in str(error_of(response)["message"])


async def test_errors_in_the_middle_are_a_last_frame(
    engine: FakeEngine, http: httpx.AsyncClient, client: openai.AsyncOpenAI
):
    for _ in range(3):
        engine.say("one", " two", EngineDied("It died."))
    response = await ask(http, stream=True)
    assert response.status_code == 200
    last = response.text.strip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["message"] == "It died."
    stream = await client.chat.completions.create(model="parrot", messages=HELLO, stream=True)
    assert [(await anext(stream)).choices[0].delta.content for _ in range(3)] == ["", "one", " two"]
    with pytest.raises(openai.APIError, match="It died"):
        await anext(stream)
    assert (await ask(http)).status_code == 503


async def test_a_full_queue_says_when_to_come_back():
    engine, pause = FakeEngine(max_running=1, max_waiting=0), Pause()
    engine.say(pause)
    async with (
        serving(make_api(engine)) as address,
        httpx.AsyncClient(base_url=address, timeout=WAIT) as http,
    ):
        first = asyncio.create_task(ask(http))
        await pause.reached()
        for stream in (False, True):
            refused = await ask(http, stream=stream)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) >= 1
            assert error_of(refused)["type"] == "rate_limit_error"
        pause.go_on()
        assert (await first).status_code == 200


# --- clients that leave ---


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("said", [(), ("one", " two")])
async def test_a_client_that_leaves_stops_the_engine(
    engine: FakeEngine,
    metrics: Metrics,
    http: httpx.AsyncClient,
    stream: bool,
    said: tuple[str, ...],
):
    pause = Pause()
    engine.say(*said, pause)
    asking = asyncio.create_task(ask(http, stream=stream))
    await pause.reached()
    asking.cancel()
    await until(lambda: engine.load() == (0, 0))
    assert engine.asked[0].ended == "cancelled"
    labels = {"face": "api", "outcome": "cancelled"}
    await until(lambda: metrics.registry.get_sample_value("chatapp_answers_total", labels) == 1)


async def test_a_waiting_client_that_leaves_gives_its_place_back():
    engine, pause = FakeEngine(max_running=1, max_waiting=1), Pause()
    engine.say(pause, "Done.")
    async with (
        serving(make_api(engine)) as address,
        httpx.AsyncClient(base_url=address, timeout=WAIT) as http,
    ):
        first = asyncio.create_task(ask(http, stream=True))
        await pause.reached()
        second = asyncio.create_task(ask(http, stream=True))
        await until(lambda: engine.load() == (1, 1))
        second.cancel()
        await until(lambda: engine.load() == (1, 0))
        pause.go_on()
        assert (await first).text.endswith("data: [DONE]\n\n")


async def test_silence_is_filled_with_comments(
    engine: FakeEngine, client: openai.AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("chatapp.api.answers.QUIET_SECONDS", 0.02)
    pause = Pause()
    engine.say(pause, "Here.")
    async with (
        asyncio.timeout(WAIT),
        client.chat.completions.with_streaming_response.create(
            model="parrot", messages=HELLO, stream=True
        ) as response,
    ):
        lines = response.iter_lines()
        comments = 0
        async for line in lines:
            comments += line.startswith(":")
            if comments == 3:
                break
        pause.go_on()
        rest = [line async for line in lines if line.startswith("data: ")]
    assert rest[-1] == "data: [DONE]"


# --- keys ---


async def test_keys_protect_v1_only():
    async with (
        serving(make_api(FakeEngine(), keys=("first-key", "second-kéy"))) as address,
        httpx.AsyncClient(base_url=address, timeout=WAIT) as http,
    ):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
            for response in (
                await http.get("/v1/models", headers=headers),
                await http.post("/v1/chat/completions", json={}, headers=headers),
                await http.post("/tokenize", json={}, headers=headers),
            ):
                assert response.status_code == 401
                assert error_of(response)["code"] == "invalid_api_key"
                assert response.headers["www-authenticate"] == "Bearer"
        right = {"Authorization": "Bearer first-key"}
        assert (await http.get("/v1/models", headers=right)).status_code == 200
        for path in ("/healthz", "/metrics", "/docs", "/openapi.json"):
            assert (await http.get(path)).status_code == 200
        with pytest.raises(openai.AuthenticationError):
            async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="no") as client:
                await client.models.list()


# --- health, metrics, documentation ---


async def test_health(engine: FakeEngine, direct: httpx.AsyncClient):
    alive = await direct.get("/healthz")
    assert alive.json()["live"]
    assert alive.json()["ready"]
    assert alive.json()["engine"]["model"] == "parrot"
    assert (await direct.get("/readyz")).status_code == 200
    engine.ready = False
    alive = await direct.get("/healthz")
    assert alive.status_code == 200
    assert (alive.json()["ready"], alive.json()["engine"]) == (False, None)
    assert (await direct.get("/readyz")).status_code == 503


async def test_metrics_count_what_was_answered(http: httpx.AsyncClient):
    await ask(http)
    await ask(http, stream=True)
    page = (await http.get("/metrics")).text
    assert 'chatapp_answers_total{face="api",outcome="stop"} 2.0' in page
    assert 'chatapp_tokens_out_total{face="api"} 12.0' in page


async def test_the_documentation_shows_every_field(direct: httpx.AsyncClient):
    schema = (await direct.get("/openapi.json")).json()
    request = schema["components"]["schemas"]["ChatCompletionRequest"]
    assert {"messages", "stream", "top_k", "repetition_penalty"} <= set(request["properties"])
    assert request["examples"]
    assert request["additionalProperties"] is False
    answer = schema["paths"]["/v1/chat/completions"]["post"]["responses"]
    assert set(answer["200"]["content"]) == {"application/json", "text/event-stream"}
    assert {"400", "401", "404", "413", "422", "429"} <= set(answer)
    assert "<html" in (await direct.get("/docs")).text


async def test_unknown_addresses_and_methods(direct: httpx.AsyncClient):
    assert error_of(await direct.get("/v1/nothing"))["message"].startswith("There is nothing")
    response = await direct.get("/v1/chat/completions")
    assert response.status_code == 405
    assert "GET" in str(error_of(response)["message"])
