from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from chatapp.engine.base import Engine
from chatapp.engine.remote import http as remote_http
from chatapp.engine.remote.engine import RemoteEngine
from chatapp.engine.remote.http import RemoteServer
from chatapp.engine.transformers.engine import TransformersEngine
from chatapp.errors import (
    ChatAppError,
    EngineBusy,
    EngineDied,
    ModelError,
    NotFound,
    PromptTooLong,
    RemoteError,
    UnsupportedField,
)
from chatapp.events import Done, EngineEvent, Queued, Token
from chatapp.records import ChatMessage, Sampling, Usage
from tests.contract_models import tiny_lora
from tests.engine_contract import EngineContract
from tests.faces.api_app import WAIT, make_api, serving, until
from tests.fakes import FakeEngine, Pause
from tests.tiny_models import TinyModel, tiny_hf
from tests.vllm_like import vllm_like

HELLO = [ChatMessage("user", "one two three")]
MODELS = {"data": [{"id": "far"}, {"id": "farther"}]}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_http, "_BACK_OFF", (0.001, 0.001))


async def hear(stream: AsyncGenerator[EngineEvent, None]) -> tuple[str, Done]:
    pieces = []
    async with asyncio.timeout(WAIT), aclosing(stream):
        async for event in stream:
            match event:
                case Token(text):
                    pieces.append(text)
                case Done():
                    return "".join(pieces), event
    raise AssertionError("no Done")


class Script:
    """A server made by hand: for each path, what to write for each request in turn, raw.

    The last answer is repeated. A callable writes for itself.
    """

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.paths: list[str] = []
        self.hung_up = asyncio.Event()
        self._answers: dict[str, list[bytes | Callable[..., Awaitable[None]]]] = {}
        self.on("/v1/models", ok(MODELS))

    def on(self, path: str, *answers: bytes | Callable[..., Awaitable[None]]) -> None:
        self._answers[path] = list(answers)

    def chat(self, *answers: bytes | Callable[..., Awaitable[None]]) -> None:
        self.on("/v1/chat/completions", *answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (
                    int(line.split(":")[1])
                    for line in head.lower().split("\r\n")
                    if line.startswith("content-length")
                ),
                0,
            )
            body = await reader.readexactly(length)
            path = head.split()[1]
            self.paths.append(path)
            if body:
                self.bodies.append(json.loads(body))
            answers = self._answers.get(path, [status(404, {"detail": "Not Found"})])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if callable(answer):
                await answer(reader, writer)
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def status(code: int, body: object, *, kind: str = "application/json", headers: str = "") -> bytes:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {code} Whatever\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n"
        f"{headers}Connection: close\r\n\r\n"
    )
    return head.encode() + raw


def ok(body: object) -> bytes:
    return status(200, body)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def frame(text: str | None = None, finish: str | None = None, **more: object) -> bytes:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"choices": [choice]} | more
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


END = frame(finish="stop") + b"data: [DONE]\n\n"


@pytest_asyncio.fixture
async def script() -> AsyncIterator[Script]:
    yield Script()


@asynccontextmanager
async def engine_on(script: Script, **facts: object) -> AsyncIterator[RemoteEngine]:
    """A started engine on the hand-made server."""
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        remote = RemoteServer(base_url=f"http://127.0.0.1:{port}/v1", **facts)  # type: ignore[arg-type]
        engine = RemoteEngine(remote, max_running=2, max_waiting=2)
        try:
            await engine.start()
            yield engine
        finally:
            await engine.close()


# --- reading streams ---


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
async def test_frames_may_be_cut_anywhere(script: Script, size: int):
    stream = (
        b": hello\n\n"
        + frame("")
        + frame("Grüße 中😀")
        + frame(" und\n").replace(b"\n", b"\r\n")
        + b": keep-alive\r\n\r\nevent: message\nid: 5\n"
        + frame(" mehr", usage=None)
        + frame(finish="length")
        + b'data: {"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 9}}\n\n'
        + b"data: [DONE]\n\n"
    )

    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for at in range(0, len(stream), size):
            writer.write(stream[at : at + size])
            await writer.drain()
            await asyncio.sleep(0)

    script.chat(write)
    async with engine_on(script) as engine:
        text, done = await hear(engine.stream(HELLO, Sampling()))
    assert text == "Grüße 中😀 und\n mehr"
    assert done.reason == "length"
    assert done.usage == Usage(4, 9)


@pytest.mark.parametrize(
    "stream",
    [
        frame("Hi") + frame(finish="stop"),  # no end mark, as transformers serve
        frame("Hi") + frame(finish="stop").strip(),  # not even the last empty line
        frame("Hi", finish="stop", usage={"prompt_tokens": 1, "completion_tokens": 1}),
        b"data:" + frame("Hi")[6:] + END,  # no space after the colon
        frame("Hi") + b'data: {"choices":[{"index":0,"delta":{"content":null}}]}\n\n' + END,
        b'data: {"choices":[{"delta":{"reasoning_content":"Hmm"}}]}\n\n' + frame("Hi") + END,
    ],
)
async def test_servers_that_only_nearly_follow_openai(script: Script, stream: bytes):
    script.chat(STREAM_HEAD + stream)
    async with engine_on(script) as engine:
        text, done = await hear(engine.stream(HELLO, Sampling()))
    assert (text, done.reason) == ("Hi", "stop")
    assert done.usage.completion_tokens == 1


@pytest.mark.parametrize(
    ("stream", "sentence"),
    [
        (frame("Hi"), "in the middle"),
        (frame("Hi") + b'data: {"choices": [{"del', "not part of an answer"),
        (frame("Hi") + b"data: [1, 2]\n\n", "not part of an answer"),
        (frame("Hi") + b'data: {"error": {"message": "Out of memory"}}\n\n', "Out of memory"),
        (frame("Hi") + b'data: {"error": "Out of memory"}\n\n', "Out of memory"),
        (frame("Hi") + b"data: \xff\xfe\n\n", "UTF-8"),
        (frame("Hi") + b"data: " + b"x" * 2_000_000, "too long"),
    ],
)
async def test_streams_that_break(script: Script, stream: bytes, sentence: str):
    script.chat(STREAM_HEAD + stream)
    async with engine_on(script) as engine:
        answer = engine.stream(HELLO, Sampling())
        with pytest.raises(RemoteError, match=sentence) as broken:
            await hear(answer)
        assert broken.value.retryable
        assert engine.load() == (0, 0)


async def test_a_stream_that_is_cut_off_mid_chunk(script: Script):
    head = STREAM_HEAD.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    piece = frame("Hi")
    script.chat(head + f"{len(piece):x}\r\n".encode() + piece + b"\r\n400\r\ndata: ")
    async with engine_on(script) as engine:
        with pytest.raises(RemoteError, match="closed the connection"):
            await hear(engine.stream(HELLO, Sampling()))


async def test_a_silent_server_is_given_up(script: Script):
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + frame("Hi"))
        await reader.read()

    script.chat(hang)
    async with engine_on(script, read_timeout=0.2) as engine:
        with pytest.raises(RemoteError, match="silent for"):
            await hear(engine.stream(HELLO, Sampling()))


# --- refusals ---


@pytest.mark.parametrize(
    ("answer", "kind", "sentence", "retryable"),
    [
        (status(401, {"error": {"message": "Bad key"}}), RemoteError, "API_KEY", False),
        (status(403, "Forbidden", kind="text/plain"), RemoteError, "API_KEY", False),
        (
            status(404, {"error": {"message": "No model far"}}),
            RemoteError,
            "No model far. Check CHATAPP_REMOTE_MODEL",
            False,
        ),
        (status(400, {"message": "Bad roles"}), RemoteError, "Bad roles", False),
        (status(429, {"error": {"message": "Slow down"}}), EngineBusy, "busy", True),
        (status(500, {"error": "Oh no"}), RemoteError, "status 500: Oh no", True),
        (status(503, {"detail": "Loading"}), RemoteError, "Loading", True),
        (
            status(502, "<html><h1>Bad Gateway</h1></html>", kind="text/html"),
            RemoteError,
            "not JSON",
            True,
        ),
        (
            status(422, {"detail": "Unexpected fields in the request: {'top_k'}"}),
            UnsupportedField,
            "top_k",
            False,
        ),
        (
            status(400, {"error": {"message": "Unsupported parameter", "param": "seed"}}),
            UnsupportedField,
            "seed",
            False,
        ),
        (
            status(400, {"error": {"message": "Too many.", "code": "context_length_exceeded"}}),
            PromptTooLong,
            "8,192",
            False,
        ),
        (
            status(400, {"error": {"message": "This model's maximum context length is 9"}}),
            PromptTooLong,
            "8,192",
            False,
        ),
        (b"", RemoteError, "closed the connection", True),
        (b"nonsense\r\n\r\n", RemoteError, "closed the connection", True),
    ],
)
async def test_refusals_become_sentences(
    script: Script, answer: bytes, kind: type[ChatAppError], sentence: str, retryable: bool
):
    script.chat(answer)
    async with engine_on(script) as engine:
        with pytest.raises(kind) as refused:
            await hear(engine.stream(HELLO, Sampling(top_k=5, seed=1)))
        assert sentence in refused.value.sentence
        assert "<" not in refused.value.sentence
        assert refused.value.retryable is retryable
        assert engine.load() == (0, 0)


@pytest.mark.parametrize("code", [429, 503])
async def test_a_busy_server_is_asked_again(script: Script, code: int):
    busy = status(code, {"error": "Busy"}, headers="Retry-After: 0\r\n")
    script.chat(busy, busy, STREAM_HEAD + frame("Hi") + END)
    async with engine_on(script) as engine:
        assert (await hear(engine.stream(HELLO, Sampling())))[0] == "Hi"
    assert len(script.bodies) == 3 + 2  # two more asked whether it counts tokens


@pytest.mark.parametrize("code", [400, 401, 404, 500])
async def test_other_errors_are_not_asked_again(script: Script, code: int):
    script.chat(status(code, {"error": "No"}), STREAM_HEAD + frame("Hi") + END)
    async with engine_on(script) as engine:
        with pytest.raises(RemoteError):
            await hear(engine.stream(HELLO, Sampling()))
    assert script.paths.count("/v1/chat/completions") == 1


async def test_nothing_is_asked_again_after_the_first_token(script: Script):
    script.chat(STREAM_HEAD + frame("Hi"), STREAM_HEAD + frame("Hi") + END)
    async with engine_on(script) as engine:
        with pytest.raises(RemoteError):
            await hear(engine.stream(HELLO, Sampling()))
    assert script.paths.count("/v1/chat/completions") == 1


async def test_usage_and_length_are_asked_for_in_the_server_s_words(script: Script):
    script.chat(
        status(422, {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]}),
        status(400, {"error": {"message": "Use 'max_completion_tokens' instead of 'max_tokens'"}}),
        STREAM_HEAD + frame("a") + frame("b") + END,
    )
    async with engine_on(script) as engine:
        for _ in range(2):
            text, done = await hear(engine.stream(HELLO, Sampling(max_tokens=7)))
            assert text == "ab"
            assert done.usage.completion_tokens == 2
    first, second, third, fourth = [body for body in script.bodies if "temperature" in body]
    assert "stream_options" in first
    assert "stream_options" not in second
    assert second["max_tokens"] == third["max_completion_tokens"] == 7
    assert fourth == third


# --- what is sent ---


async def test_extensions_are_sent_only_when_they_are_set(script: Script):
    script.chat(STREAM_HEAD + frame("Hi") + END)
    plain = Sampling(max_tokens=5, temperature=0, top_p=1)
    rich = Sampling(top_k=3, repetition_penalty=1.1, seed=4, stop=("a", "b", "c", "d", "e"))
    async with engine_on(script, api_key="secret") as engine:
        for sampling in (plain, rich):
            await hear(engine.stream(HELLO, sampling))
    first, second = [body for body in script.bodies if "temperature" in body]
    assert first == {
        "model": "far",
        "messages": [{"role": "user", "content": "one two three"}],
        "stream": True,
        "max_tokens": 5,
        "temperature": 0,
        "stream_options": {"include_usage": True},
    }
    extra = {"top_p": 0.95, "top_k": 3, "repetition_penalty": 1.1, "seed": 4}
    assert extra.items() <= second.items()
    assert second["stop"] == ["a", "b", "c", "d"]


async def test_stop_texts_are_enforced_here_too(script: Script):
    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + frame("one st") + frame("op two"))
        await reader.read()
        script.hung_up.set()

    script.chat(write)
    async with engine_on(script) as engine:
        text, done = await hear(engine.stream(HELLO, Sampling(stop=("stop",))))
        assert (text, done.reason) == ("one ", "stop")
        async with asyncio.timeout(WAIT):
            await script.hung_up.wait()


async def test_closing_the_stream_hangs_up(script: Script):
    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + frame("Hi"))
        await reader.read()
        script.hung_up.set()

    script.chat(write)
    async with engine_on(script) as engine:
        stream = engine.stream(HELLO, Sampling())
        async with asyncio.timeout(WAIT):
            assert await anext(stream) == Queued(0)
            assert await anext(stream) == Token("Hi")
            await stream.aclose()
            await script.hung_up.wait()
        assert engine.load() == (0, 0)


# --- the start ---


async def test_the_first_model_is_taken_unless_one_is_named(script: Script):
    script.on("/v1/models", ok({"data": [{"id": "far", "max_model_len": 500}, {"id": "near"}]}))
    async with engine_on(script) as engine:
        assert engine.info.model == "far"
        assert engine.info.context_length == 500
    async with engine_on(script, model="near", context_length=600) as engine:
        assert engine.info.model == "near"
        assert engine.info.context_length == 600


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (ok({"data": []}), "CHATAPP_REMOTE_MODEL"),
        (ok({"models": []}), "usually ends in /v1"),
        (status(200, "<html>", kind="text/html"), "not in JSON"),
        (status(401, {"error": "No"}), "CHATAPP_REMOTE_API_KEY"),
        (status(404, {"detail": "Not Found"}), "CHATAPP_REMOTE_BASE_URL"),
    ],
)
async def test_a_start_that_fails_says_why(script: Script, answer: bytes, sentence: str):
    script.on("/v1/models", answer)
    with pytest.raises(ModelError, match=sentence):
        async with engine_on(script):
            pass


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:9/v1", "cannot be reached"),
        ("http://nowhere.invalid/v1", "cannot be reached"),
        ("ftp://here/v1", "not an address"),
        ("http://[::1", "not an address"),
    ],
)
async def test_a_server_that_is_not_there(url: str, sentence: str):
    engine = RemoteEngine(RemoteServer(base_url=url), max_running=1, max_waiting=1)
    with pytest.raises(ModelError, match=sentence):
        await engine.start()
    assert not engine.ready
    with pytest.raises(EngineDied):
        await hear(engine.stream(HELLO, Sampling()))
    await engine.close()


# --- counting tokens ---


async def test_tokens_are_counted_by_llama_cpp_s_server(script: Script):
    script.on("/tokenize", status(400, {"error": "no content"}), ok({"tokens": [1, 2, 3]}))
    script.on("/apply-template", ok({"prompt": "<s>Hi"}))
    async with engine_on(script) as engine:
        assert await engine.count_tokens(HELLO) == 3


async def test_a_server_too_busy_to_count_is_busy(script: Script):
    busy = status(429, {"error": "Busy"})
    script.on("/tokenize", ok({"count": 5}), busy)
    async with engine_on(script) as engine:
        with pytest.raises(EngineBusy):
            await engine.count_tokens(HELLO)
        with pytest.raises(EngineBusy):
            await hear(engine.stream(HELLO, Sampling()))
        assert engine.load() == (0, 0)


async def test_tokens_are_estimated_where_nobody_counts(script: Script):
    async with engine_on(script) as engine:
        short = await engine.count_tokens(HELLO)
        assert 3 <= short <= 30
        assert await engine.count_tokens([ChatMessage("user", "中文" * 100)]) >= 200
        asked = len(script.paths)
        await engine.count_tokens(HELLO)
        assert len(script.paths) == asked


# --- adapters ---


async def test_adapters_are_loaded_as_vllm_does(script: Script, tmp_path: Path):
    script.on("/v1/load_lora_adapter", ok("Success"), status(400, {"error": "Not an adapter"}))
    script.on("/v1/unload_lora_adapter", ok("Success"))
    script.chat(STREAM_HEAD + frame("Hi") + END)
    async with engine_on(script) as engine:
        await engine.load_adapter("warm", tmp_path)
        assert engine.adapters() == ("warm",)
        await hear(engine.stream(HELLO, Sampling(), "warm"))
        assert script.bodies[-1]["model"] == "warm"
        with pytest.raises(ModelError, match="Not an adapter"):
            await engine.load_adapter("broken", tmp_path)
        await engine.unload_adapter("warm")
        assert engine.adapters() == ()
        with pytest.raises(NotFound):
            await hear(engine.stream(HELLO, Sampling(), "warm"))


@asynccontextmanager
async def engines_on_one_server(count: int) -> AsyncIterator[tuple[FakeEngine, list[RemoteEngine]]]:
    """Several servers of this app beside one that is like vLLM."""
    backend = FakeEngine(model="far")
    await backend.start()
    async with serving(vllm_like(backend)) as address:
        server = RemoteServer(base_url=f"{address}/v1")
        engines = [RemoteEngine(server, max_running=2, max_waiting=2) for _ in range(count)]
        for engine in engines:
            await engine.start()
        yield backend, engines
        for engine in engines:
            await engine.close()


async def test_what_another_server_has_loaded_is_used(tmp_path: Path):
    folder, other = tiny_lora(tmp_path / "one"), tiny_lora(tmp_path / "two", seed=8)
    async with engines_on_one_server(2) as (backend, (here, there)):
        await here.load_adapter("warm", folder)
        await there.load_adapter("warm", folder)
        assert there.adapters() == ("warm",)
        assert backend._adapters == {"warm": folder}
        await hear(there.stream(HELLO, Sampling(), "warm"))
        assert backend.asked[-1].adapter == "warm"
        # Another adapter under the same name takes its place.
        await there.load_adapter("warm", other)
        assert backend._adapters == {"warm": other}
        await here.unload_adapter("warm")
        await there.unload_adapter("warm")  # gone already, and that is fine
        assert (here.adapters(), there.adapters()) == ((), ())


async def test_a_folder_that_the_server_does_not_reach_is_named(tmp_path: Path):
    async with engines_on_one_server(1) as (_, (engine,)):
        with pytest.raises(ModelError, match=r"on its own disk.*No adapter found") as refused:
            await engine.load_adapter("warm", tmp_path / "nowhere")
        assert str(tmp_path / "nowhere") in refused.value.sentence


@pytest.mark.parametrize("code", [404, 405, 501])
async def test_a_server_that_loads_no_adapters_says_how_it_would(
    script: Script, tmp_path: Path, code: int
):
    script.on("/v1/load_lora_adapter", status(code, {"detail": "Not Found"}))
    async with engine_on(script) as engine:
        with pytest.raises(UnsupportedField, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING"):
            await engine.load_adapter("warm", tmp_path)


async def test_adapters_that_the_server_lists_are_there(script: Script):
    adapter = {"id": "warm", "parent": "far"}
    script.on("/v1/models", ok({"data": [{"id": "far", "parent": None}, adapter]}))
    script.chat(status(404, {"error": {"message": "The model `warm` does not exist."}}))
    async with engine_on(script) as engine:
        assert engine.adapters() == ("warm",)
        with pytest.raises(NotFound):
            await hear(engine.stream(HELLO, Sampling(), "warm"))
        assert engine.adapters() == ()


# --- against this project's own API ---


@asynccontextmanager
async def engine_on_our_api(
    backend: FakeEngine, max_running: int = 4
) -> AsyncIterator[RemoteEngine]:
    await backend.start()
    async with serving(make_api(backend, keys=["key"])) as address:
        server = RemoteServer(base_url=f"{address}/v1/", api_key="key")
        engine = RemoteEngine(server, max_running=max_running, max_waiting=1)
        await engine.start()
        try:
            yield engine
        finally:
            await engine.close()


async def test_our_own_api_counts_tokens_and_knows_its_limit():
    async with engine_on_our_api(FakeEngine()) as engine:
        text, done = await hear(engine.stream(HELLO, Sampling()))
        assert (text, done.reason, done.usage) == ("one two three", "stop", Usage(4, 3))
        assert await engine.count_tokens(HELLO) == 4
        assert engine.info.context_length == 1024
        with pytest.raises(PromptTooLong):
            await hear(engine.stream([ChatMessage("user", "word " * 1_500)], Sampling()))


async def test_our_own_api_stops_when_the_stream_is_closed():
    backend, pause = FakeEngine(), Pause()
    backend.say("one", pause)
    async with engine_on_our_api(backend) as engine:
        stream = engine.stream(HELLO, Sampling())
        assert await anext(stream) == Queued(0)
        assert await anext(stream) == Token("one")
        await stream.aclose()
        await until(lambda: backend.asked[0].ended == "cancelled")


async def test_requests_wait_here_and_not_at_the_server():
    backend, pause = FakeEngine(), Pause()
    backend.say(pause)
    async with engine_on_our_api(backend, max_running=1) as engine:
        first = asyncio.create_task(hear(engine.stream(HELLO, Sampling())))
        await pause.reached()
        second = engine.stream(HELLO, Sampling())
        assert await anext(second) == Queued(1)
        with pytest.raises(EngineBusy):
            await hear(engine.stream(HELLO, Sampling()))
        assert backend.load() == (1, 0)
        pause.go_on()
        await first
        assert (await hear(second))[0] == "one two three"


async def test_closing_the_engine_wakes_its_readers():
    backend, pause = FakeEngine(), Pause()
    backend.say("one", pause)
    async with engine_on_our_api(backend) as engine:
        reading = asyncio.create_task(hear(engine.stream(HELLO, Sampling())))
        await pause.reached()
        await engine.close()
        with pytest.raises(EngineDied):
            async with asyncio.timeout(WAIT):
                await reading


# --- the contract, played through HTTP ---


class TestRemoteEngine(EngineContract):
    """A server like vLLM serves a real tiny model; the engine under test is its client."""

    @asynccontextmanager
    async def serving(
        self, folder: Path, model: TinyModel, *, max_running: int = 4, max_waiting: int = 8
    ) -> AsyncIterator[Engine]:
        backend = TransformersEngine(
            tiny_hf(folder / "model", model),
            "tiny",
            quantization="none",
            max_running=8,
            max_waiting=8,
            kv_cache_gb=0.05,
        )
        await backend.start()
        try:
            async with serving(vllm_like(backend)) as address:
                engine = RemoteEngine(
                    RemoteServer(base_url=f"{address}/v1"),
                    max_running=max_running,
                    max_waiting=max_waiting,
                )
                await engine.start()
                try:
                    yield engine
                finally:
                    await engine.close()
        finally:
            await backend.close()
