"""The remote engine against somebody else's server: ``transformers serve`` on a tiny model."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from chatapp.engine.remote.engine import RemoteEngine
from chatapp.engine.remote.http import RemoteServer
from chatapp.errors import UnsupportedField
from tests.contract_models import Babbler
from tests.engine_contract import ask, dense_reference, greedy, hear, hear_until
from tests.tiny_models import TinyModel, tiny_hf

START = 90
"""Most seconds that its start may take."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def serve(folder: Path, model: TinyModel) -> AsyncIterator[RemoteEngine]:
    path = tiny_hf(folder / "model", model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("transformers"), "serve", path]
    options = f"--continuous-batching --device cpu --host 127.0.0.1 --port {port}"
    cache = "--cb-block-size 16 --cb-num-blocks 64 --cb-max-batch-tokens 128"
    with (folder / "log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            *command,
            *options.split(),
            *cache.split(),
            env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "empty")},
            stdout=log,
            stderr=log,
        )
    engine = RemoteEngine(
        RemoteServer(base_url=f"http://127.0.0.1:{port}/v1", model=str(path), context_length=512),
        max_running=4,
        max_waiting=4,
    )
    try:
        await answering(f"http://127.0.0.1:{port}/health", server)
        await engine.start()
        yield engine
    finally:
        await engine.close()
        server.terminate()
        await server.wait()


async def answering(url: str, server: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START), httpx.AsyncClient() as client:
        while server.returncode is None:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.2)
    raise AssertionError("transformers serve did not start")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def babbling(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RemoteEngine]:
    async for engine in serve(tmp_path_factory.mktemp("babbling"), Babbler()):
        yield engine


async def test_it_says_what_the_model_says(babbling: RemoteEngine, tmp_path: Path):
    heard = await hear(babbling.stream(ask("Say it."), greedy(16)))
    assert heard.text == dense_reference(tiny_hf(tmp_path, Babbler()), ask("Say it."), 16)
    assert heard.done.reason == "length"
    assert heard.done.usage.completion_tokens == 16
    assert len(heard.pieces) >= 5


async def test_four_at_once_all_get_their_answer(babbling: RemoteEngine):
    streams = [babbling.stream(ask(f"Number {n}"), greedy(10 + n)) for n in range(4)]
    heard = await asyncio.gather(*(hear(stream) for stream in streams))
    assert [one.done.usage.completion_tokens for one in heard] == [10, 11, 12, 13]


async def test_a_stream_that_is_closed_harms_nobody(babbling: RemoteEngine):
    stream = babbling.stream(ask("A long one"), greedy(300))
    await hear_until(stream, tokens=2)
    await stream.aclose()
    assert babbling.load() == (0, 0)
    assert (await hear(babbling.stream(ask("Still there?"), greedy(4)))).text


async def test_what_it_cannot_do_is_refused_by_name(babbling: RemoteEngine, tmp_path: Path):
    for name, value in (("top_k", 5), ("repetition_penalty", 1.5)):
        with pytest.raises(UnsupportedField) as refused:
            await hear(babbling.stream(ask("Hi"), greedy(4, **{name: value})))
        assert refused.value.field == name
    with pytest.raises(UnsupportedField, match="adapters"):
        await babbling.load_adapter("warm", tmp_path)
