"""What happens to the OpenVINO engine's worker process, and in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from chatapp.engine.openvino.engine import OpenVINOEngine
from chatapp.engine.openvino.ir import convert
from chatapp.engine.openvino.protocol import Precision
from chatapp.errors import EngineDied, EngineError, ModelError, NotFound
from tests.contract_models import Babbler, tiny_lora
from tests.engine_contract import WAIT, ask, first_queued, greedy, hear, hear_until, varied
from tests.tiny_models import tiny_gguf, tiny_hf

ROOT = Path(__file__).parents[3]

PARENT = """
import asyncio, sys
from pathlib import Path
from chatapp.engine.openvino.engine import OpenVINOEngine
from tests.engine_contract import ask, greedy, hear_until

async def main():
    folder = Path(sys.argv[1])
    engine = OpenVINOEngine(folder / "ir", tokenizer=folder / "hf", model_name="tiny",
                            quantization="F16", context_length=512, kv_cache_gb=0.05)
    await engine.start()
    await hear_until(engine.stream(ask("A long one"), greedy(400)), tokens=2)
    print("answering", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ir`` and ``hf``: the babbler, with a context longer than any answer here."""
    folder = tmp_path_factory.mktemp("model")
    babbler = Babbler(context=4096)
    convert(tiny_gguf(folder / "tiny.gguf", babbler), folder / "ir", lambda step, share: None)
    tiny_hf(folder / "hf", babbler)
    return folder


@asynccontextmanager
async def serving(
    model: Path, kv_cache_gb: float = 0.05, precision: Precision = "exact"
) -> AsyncIterator[OpenVINOEngine]:
    engine = OpenVINOEngine(
        model / "ir",
        tokenizer=model / "hf",
        model_name="tiny",
        quantization="F16",
        context_length=4096,
        max_running=8,
        kv_cache_gb=kv_cache_gb,
        precision=precision,
    )
    async with asyncio.timeout(WAIT):
        await engine.start()
    try:
        yield engine
    finally:
        async with asyncio.timeout(WAIT):
            await engine.close()


def the_worker(parent: int | None = None) -> psutil.Process:
    """The one worker among ``parent``'s children; ours by default."""
    children = psutil.Process(parent).children()
    return next(c for c in children if "chatapp.engine.openvino.worker" in c.cmdline())


async def test_a_dead_worker_is_replaced_and_only_its_requests_fail(
    model: Path, tmp_path: Path
) -> None:
    async with serving(model) as engine:
        await engine.load_adapter("warm", tiny_lora(tmp_path))
        base = (await hear(engine.stream(ask("Hi"), greedy(12)))).text
        warm = (await hear(engine.stream(ask("Hi"), greedy(12), "warm"))).text
        victims = [engine.stream(ask(f"Long {n}"), greedy(2000)) for n in range(3)]
        for victim in victims:
            await hear_until(victim, tokens=1)
        killed = the_worker()
        killed.kill()
        for victim in victims:
            with pytest.raises(EngineDied, match="stopped unexpectedly") as died:
                await hear(victim)
            assert died.value.retryable
        assert not engine.ready
        # These come while it is being restarted, and wait.
        again = await asyncio.gather(
            hear(engine.stream(ask("Hi"), greedy(12))),
            hear(engine.stream(ask("Hi"), greedy(12), "warm")),
        )
        assert [heard.text for heard in again] == [base, warm]
        assert engine.ready
        assert engine.adapters() == ("warm",)
        assert the_worker().pid != killed.pid


async def test_an_adapter_that_cannot_come_back_is_said_to_be_gone(
    model: Path, tmp_path: Path
) -> None:
    async with serving(model) as engine:
        folder = tiny_lora(tmp_path / "lora")
        await engine.load_adapter("warm", folder)
        (folder / "adapter_model.safetensors").unlink()
        victim = engine.stream(ask("A long one"), greedy(2000))
        await hear_until(victim, tokens=1)
        the_worker().kill()
        with pytest.raises(EngineDied):
            await hear(victim)
        assert (await hear(engine.stream(ask("Hi"), greedy(4)))).text
        assert engine.adapters() == ()
        with pytest.raises(NotFound):
            await hear(engine.stream(ask("Hi"), greedy(4), "warm"))
        # Once its files are back it is loaded again.
        tiny_lora(folder)
        await engine.load_adapter("warm", folder)
        assert (await hear(engine.stream(ask("Hi"), greedy(4), "warm"))).text


async def test_a_worker_that_cannot_come_back_says_why(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "model")
    async with serving(copy) as engine:
        (copy / "ir" / "openvino_model.xml").unlink()
        the_worker().kill()
        with pytest.raises(EngineDied):
            await hear(engine.stream(ask("Hi"), greedy(4000)))
        with pytest.raises(ModelError, match="cannot be read"):
            await hear(engine.stream(ask("Hi"), greedy(4)))
        assert not engine.ready


async def test_a_broken_model_stops_the_start_with_a_sentence(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "model")
    (copy / "ir" / "openvino_model.xml").write_text("<net/>")
    with pytest.raises(ModelError) as refused:
        async with serving(copy):
            pass
    assert str(copy) in refused.value.sentence
    assert "\n" not in refused.value.sentence


async def test_closing_leaves_no_process(model: Path) -> None:
    async with serving(model) as engine:
        worker = the_worker()
        assert engine.memory_bytes() > 0
        await hear_until(engine.stream(ask("A long one"), greedy(2000)), tokens=1)
    assert not worker.is_running()
    assert engine.memory_bytes() == 0


def test_no_orphan_when_the_app_is_killed(model: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(model)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "answering\n"
        worker = the_worker(parent.pid)
        os.kill(parent.pid, signal.SIGKILL)
        worker.wait(timeout=WAIT)
    finally:
        parent.kill()
        parent.wait()


async def test_a_seed_gives_the_same_text_whatever_else_is_written(model: Path) -> None:
    long = "How do I return my order? " * 40

    async def say(engine: OpenVINOEngine, seed: int | None) -> str:
        return (await hear(engine.stream(ask(long), varied(30, seed=seed)))).text

    async with serving(model) as engine:
        alone = [await say(engine, seed) for seed in (1, 2)]
        noise = [engine.stream(ask(f"Noise {n} " * 50), varied(300)) for n in range(3)]
        for stream in noise:
            await hear_until(stream, tokens=1)
        busy = await asyncio.gather(*(say(engine, seed) for seed in (2, 1, 2, None, None)))
        for stream in noise:
            await stream.aclose()
        assert busy[:3] == [alone[1], alone[0], alone[1]]
        assert len({*alone, *busy}) == 4, "answers without a seed, or with another, are alike"


async def test_a_seeded_request_can_leave_while_its_lane_is_built(model: Path) -> None:
    async with serving(model) as engine:
        leaving = engine.stream(ask("Hi"), varied(30, seed=1))
        assert await first_queued(leaving) == 0
        reading = asyncio.create_task(hear(leaving))
        await asyncio.sleep(0)  # it asks the worker, and waits
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert engine.load() == (0, 0)
        assert (await hear(engine.stream(ask("Hi"), varied(5, seed=1)))).text


async def test_a_full_cache_fails_one_answer_with_a_sentence(model: Path) -> None:
    # 2 layers x 2 heads x 16 values, keys and values, 4 bytes each: 512 tokens are 256 KiB.
    async with serving(model, kv_cache_gb=512 * 512 / 2**30) as engine:
        short = (await hear(engine.stream(ask("Short"), greedy(40)))).text
        neighbour = engine.stream(ask("Short"), greedy(40))
        began = await hear_until(neighbour, tokens=1)
        with pytest.raises(EngineError, match="memory for conversations is full"):
            await hear(engine.stream(ask("7" * 900), greedy(10)))
        assert began.text + (await hear(neighbour)).text == short
        with pytest.raises(EngineError, match="memory for conversations is full"):
            await hear(engine.stream(ask("Grow"), greedy(2000)))
        assert (await hear(engine.stream(ask("Short"), greedy(40)))).text == short


async def test_giving_up_on_an_adapter_leaves_no_lane_behind(model: Path, tmp_path: Path) -> None:
    folder = tiny_lora(tmp_path)
    async with serving(model) as engine:
        loading = asyncio.create_task(engine.load_adapter("warm", folder))
        await asyncio.sleep(0)  # it asks the worker, and waits
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        assert engine.adapters() == ()
        await engine.load_adapter("warm", folder)
        assert (await hear(engine.stream(ask("Hi"), greedy(5), "warm"))).text
        await engine.unload_adapter("warm")


async def test_the_library_s_own_precision_answers_and_repeats_a_seed(model: Path) -> None:
    async with serving(model, precision="fast") as engine:
        said = [
            (await hear(engine.stream(ask("Hi"), varied(20, seed=seed)))).text for seed in (1, 1, 2)
        ]
        assert said[0] == said[1] != said[2]
