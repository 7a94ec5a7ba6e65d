"""The transformers engine, on tiny models."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import ContinuousBatchingManager

from chatapp.engine.base import Engine
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.engine.transformers.engine import TransformersEngine
from chatapp.engine.transformers.lane import Lane
from chatapp.engine.transformers.loading import Quantization, load_model, quantization_of
from chatapp.errors import EngineDied, EngineError, ModelError, UnsupportedField
from chatapp.records import ChatMessage
from tests.contract_models import Babbler, tiny_lora
from tests.engine_contract import WAIT, EngineContract, ask, greedy, hear, hear_until, varied
from tests.tiny_models import TinyModel, tiny_hf


class TestTransformersEngine(EngineContract):
    """In float32, so that texts can be compared exactly."""

    def make(self, folder: Path, model: TinyModel, *, max_running: int, max_waiting: int) -> Engine:
        return TransformersEngine(
            tiny_hf(folder / "model", model),
            "tiny",
            quantization="none",
            max_running=max_running,
            max_waiting=max_waiting,
            kv_cache_gb=0.05,
            threads=1,
        )


def make_engine(folder: Path, model: TinyModel | None = None, **more: object) -> TransformersEngine:
    options: dict[str, object] = {
        "quantization": "none",
        "max_running": 4,
        "max_waiting": 8,
        "kv_cache_gb": 0.05,
        "threads": 1,  # more only get into each other's way on a model this small
    }
    return TransformersEngine(tiny_hf(folder, model or Babbler()), "tiny", **(options | more))  # type: ignore[arg-type]


@asynccontextmanager
async def running(engine: TransformersEngine) -> AsyncIterator[TransformersEngine]:
    async with asyncio.timeout(WAIT):
        await engine.start()
    try:
        yield engine
    finally:
        async with asyncio.timeout(WAIT):
            await engine.close()


def lane_of(engine: TransformersEngine, adapter: str | None = None) -> Lane:
    return engine._places[adapter].lane


def manager_of(engine: TransformersEngine) -> ContinuousBatchingManager:
    manager = lane_of(engine)._manager
    assert manager is not None
    return manager


@pytest.mark.parametrize("quantization", ["nf4", "int8"])
async def test_quantized_weights_stream_what_the_library_says(
    tmp_path: Path, quantization: Quantization
) -> None:
    messages = ask("What is the price of the delivery?")
    async with running(make_engine(tmp_path, quantization=quantization)) as engine:
        assert engine.info.quantization == quantization
        heard = await hear(engine.stream(messages, greedy(24)))
    tokenizer = ChatTokenizer.load(tmp_path)
    model = load_model(tmp_path, quantization, 0.9)
    assert quantization_of(model) == quantization
    prompt = torch.tensor([tokenizer.encode_chat(messages)])
    mask = torch.ones_like(prompt)
    ids = model.generate(prompt, attention_mask=mask, max_new_tokens=24, do_sample=False)
    assert heard.text == tokenizer.decode(ids[0, prompt.shape[1] :].tolist())


def test_nf4_packs_what_it_can_and_leaves_the_rest(tmp_path: Path) -> None:
    from bitsandbytes.nn import Linear4bit

    model = load_model(tiny_hf(tmp_path), "nf4", 0.9)
    layers = dict(model.named_modules())
    assert isinstance(layers["model.layers.0.mlp.down_proj"], Linear4bit)
    assert model.config.quantization_config.bnb_4bit_use_double_quant
    assert model.config.quantization_config.bnb_4bit_compute_dtype == torch.bfloat16
    assert not isinstance(layers["lm_head"], Linear4bit)


def test_a_model_that_nf4_cannot_pack_is_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = tiny_hf(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_size": 24, "head_dim": 6, "intermediate_size": 24}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="CHATAPP_QUANTIZATION"):
        load_model(folder, "nf4", 0.9)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "damaged"])
async def test_damaged_files_are_said_in_one_sentence(
    tmp_path: Path, name: str, damage: str
) -> None:
    engine = make_engine(tmp_path)
    if damage == "missing":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(b"\x00 nonsense")
    with pytest.raises(ModelError) as error:
        await engine.start()
    assert "\n" not in error.value.sentence
    assert not engine.ready
    with pytest.raises(EngineError):
        await engine.count_tokens(ask("Hi")) if name == "tokenizer.json" else await hear(
            engine.stream(ask("Hi"), greedy())
        )
    await engine.close()


async def test_too_little_memory_for_a_conversation_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="CHATAPP_KV_CACHE_GB"):
        await make_engine(tmp_path, kv_cache_gb=0.0001).start()


async def test_the_context_shrinks_to_what_the_cache_holds(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path, Babbler(context=8192), kv_cache_gb=0.01)) as engine:
        assert 256 <= engine.info.context_length < 8192
        fits = ask("7" * (engine.info.context_length - await engine.count_tokens(ask("")) - 3))
        done = (await hear(engine.stream(fits, greedy(50)))).done
        assert done.usage.completion_tokens == 3
    async with running(make_engine(tmp_path, context_length=300)) as engine:
        assert engine.info.context_length == 300


async def test_a_closed_answer_is_computed_for_two_more_tokens_at_most(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path)) as engine:
        manager = manager_of(engine)
        closed, steps, idle = False, 0, threading.Event()
        step, prepare = manager._generation_step, manager.batch_processor.prepare_next_batch

        def counted_step() -> None:
            nonlocal steps
            steps += closed
            step()

        def watched_prepare() -> bool:
            work = bool(prepare())
            if closed and not work:
                idle.set()
            return work

        manager._generation_step = counted_step
        manager.batch_processor.prepare_next_batch = watched_prepare
        stream = engine.stream(ask("A long one"), greedy(400))
        await hear_until(stream, tokens=2)
        closed = True
        await stream.aclose()
        assert await asyncio.to_thread(idle.wait, WAIT)
        assert steps <= 2
        assert manager.output_router.result_handlers == {}


async def test_a_shared_prompt_is_read_once(tmp_path: Path) -> None:
    system = "You answer questions about orders, returns and payments. " * 4
    async with running(make_engine(tmp_path)) as engine:
        cache = manager_of(engine).batch_processor.cache
        search, matched = cache.search_prefix_match, []

        def spied(request_id: str, prompt: list[int]) -> int:
            matched.append(search(request_id, prompt))
            return matched[-1]

        cache.search_prefix_match = spied
        first = await hear(engine.stream(ask("Say it.", system), greedy(8)))
        await hear(engine.stream(ask("What is the price?", system), greedy(8)))
        again = await hear(engine.stream(ask("Say it.", system), greedy(8)))
    assert matched[0] == 0
    assert all(length >= 64 for length in matched[1:])
    assert first.text == again.text


async def test_a_seed_means_the_same_alone_and_in_a_crowd(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path)) as engine:
        alone = await hear(engine.stream(ask("Tell me"), varied(40, seed=5)))
        crowd = await asyncio.gather(
            hear(engine.stream(ask("Another"), varied(50))),
            hear(engine.stream(ask("Tell me"), varied(40, seed=5))),
            hear(engine.stream(ask("A third"), varied(50, seed=5))),
        )
        assert crowd[1].text == alone.text


async def test_long_prompts_that_are_read_in_pieces_harm_nobody(tmp_path: Path) -> None:
    """Together they exceed one forward pass: some write while others are still reading."""
    long = "Where is the parcel that I was promised? " * 7
    wishes = [(ask(f"{n} {long}"), varied(12, temperature=0.5, seed=n)) for n in range(4)]
    async with running(make_engine(tmp_path)) as engine:
        lengths = [await engine.count_tokens(messages) for messages, _ in wishes]
        assert sum(lengths) > lane_of(engine)._size.batch_tokens
        together = await asyncio.gather(*(hear(engine.stream(*wish)) for wish in wishes))
        for wish, heard in zip(wishes, together, strict=True):
            assert heard.text == (await hear(engine.stream(*wish))).text


async def test_answers_survive_being_evicted_from_a_full_cache(tmp_path: Path) -> None:
    """Four answers of 200 tokens do not fit together; the library starts some of them again."""
    engine = make_engine(tmp_path, kv_cache_gb=0.00325)
    async with running(engine):
        size = lane_of(engine)._size
        assert engine.info.context_length <= size.tokens < 4 * 200
        processor, evicted = manager_of(engine).batch_processor, 0
        offload = processor.offloading_manager.offload_requests

        def counted() -> bool:
            nonlocal evicted
            before = len(processor.scheduler.active_requests)
            done = bool(offload())
            evicted += before - len(processor.scheduler.active_requests)
            return done

        processor.offloading_manager.offload_requests = counted
        wishes = [
            (ask(f"Question {n}"), varied(200, temperature=0.5, seed=n, repetition_penalty=1.1))
            for n in range(4)
        ]
        together = await asyncio.gather(*(hear(engine.stream(*wish)) for wish in wishes))
        assert evicted > 0
        for wish, heard in zip(wishes, together, strict=True):
            assert heard.text == (await hear(engine.stream(*wish))).text


async def test_a_dead_thread_fails_what_it_held_and_is_started_again(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path)) as engine:
        before = await hear(engine.stream(ask("Say it."), greedy()))
        held = [engine.stream(ask(f"Long {n}"), greedy(400)) for n in range(2)]
        for stream in held:
            await hear_until(stream, tokens=1)

        def explode() -> None:
            raise RuntimeError("the device is gone")

        manager_of(engine)._generation_step = explode
        for stream in held:
            with pytest.raises(EngineDied) as died:
                await hear(stream)
            assert died.value.retryable
            assert "device" not in died.value.sentence
        after = await hear(engine.stream(ask("Say it."), greedy()))
        assert after.text == before.text
        assert engine.ready
        assert engine.load() == (0, 0)


async def test_a_thread_that_dies_at_once_is_not_started_for_ever(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path)) as engine:

        def explode() -> None:
            raise RuntimeError("the device is gone")

        manager_of(engine)._generation_step = explode
        for _ in range(2):
            with pytest.raises(EngineDied):
                await hear(engine.stream(ask("Hi"), greedy()))
        assert not engine.ready


async def test_adapters_share_the_base_weights(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path / "model")) as engine:
        before = engine.memory_bytes()
        await engine.load_adapter("warm", tiny_lora(tmp_path / "warm"))
        base, view = lane_of(engine)._model, lane_of(engine, "warm")._model
        assert (
            view.model.layers[0].self_attn.q_proj.base_layer.weight.data_ptr()
            == base.model.layers[0].self_attn.q_proj.weight.data_ptr()
        )
        assert engine.memory_bytes() > before


@pytest.mark.parametrize("quantization", ["nf4", "int8"])
@pytest.mark.parametrize("first", [None, "warm"])
async def test_adapters_share_quantized_weights_whoever_is_asked_first(
    tmp_path: Path, quantization: Quantization, first: str | None
) -> None:
    """bitsandbytes repacks or moves a layer's weights when the layer is first used."""
    # Too short to be shared: int8 rounds a token differently in the company of others.
    short = [ChatMessage("user", "Hi")]
    async with running(make_engine(tmp_path / "model", quantization=quantization)) as engine:
        alone = (await hear(engine.stream(short, greedy()))).text
    async with running(make_engine(tmp_path / "model", quantization=quantization)) as engine:
        await engine.load_adapter("warm", tiny_lora(tmp_path / "warm"))

        async def say(adapter: str | None) -> str:
            return (await hear(engine.stream(short, greedy(), adapter))).text

        second = "warm" if first is None else None
        texts = {first: await say(first), second: await say(second)}
        assert texts[None] == alone
        assert texts["warm"] != alone
        assert {first: await say(first), second: await say(second)} == texts
        assert _weight_bytes(lane_of(engine)._model, lane_of(engine, "warm")._model) == 0


def _weight_bytes(model: torch.nn.Module, view: torch.nn.Module) -> int:
    """Bytes of quantized weights that ``view`` holds on its own."""

    def held(module: torch.nn.Module) -> dict[int, int]:
        tensors = [parameter.data for parameter in module.parameters()]
        for layer in module.modules():
            beside = vars(layer.state).values() if hasattr(layer, "state") else ()
            tensors += [value for value in beside if torch.is_tensor(value)]
        return {t.data_ptr(): t.nbytes for t in tensors if t.dtype in (torch.int8, torch.uint8)}

    own = held(view).keys() - held(model).keys()
    return sum(held(view)[place] for place in own)


async def test_an_adapter_is_replaced_without_a_gap(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path / "model")) as engine:
        await engine.load_adapter("live", tiny_lora(tmp_path / "old"))
        old = await hear(engine.stream(ask("Say it."), greedy(100), "live"))
        stream = engine.stream(ask("Say it."), greedy(100), "live")
        began = await hear_until(stream, tokens=1)
        loading = asyncio.create_task(
            engine.load_adapter("live", tiny_lora(tmp_path / "new", seed=8))
        )
        answers = {old.text[:5]}
        async with asyncio.timeout(WAIT):
            while answers == {old.text[:5]}:
                new = await hear(engine.stream(ask("Say it."), greedy(24), "live"))
                answers.add(new.text[:5])
        assert not loading.done()
        rest = await hear(stream)
        assert began.text + rest.text == old.text
        async with asyncio.timeout(WAIT):
            await loading
        assert engine.adapters() == ("live",)


async def test_closing_while_an_adapter_is_let_go_ends_its_answers(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path / "model")) as engine:
        await engine.load_adapter("warm", tiny_lora(tmp_path / "warm"))
        stream = engine.stream(ask("Say it."), greedy(400), "warm")
        await hear_until(stream, tokens=1)
        unloading = asyncio.create_task(engine.unload_adapter("warm"))
        await asyncio.sleep(0)  # it starts, and waits for the answer
        assert engine.adapters() == ()
        async with asyncio.timeout(WAIT):
            await engine.close()
            with pytest.raises(EngineDied):
                await hear(stream)
            await unloading


async def test_an_adapter_for_another_model_is_refused(tmp_path: Path) -> None:
    async with running(make_engine(tmp_path / "model")) as engine:
        deeper = tiny_lora(tmp_path / "deeper")
        weights = load_file(deeper / "adapter_model.safetensors")
        save_file(
            {name.replace("layers.1", "layers.7"): value for name, value in weights.items()},
            deeper / "adapter_model.safetensors",
        )
        wider = tiny_lora(tmp_path / "wider")
        weights = load_file(wider / "adapter_model.safetensors")
        save_file(
            {
                name: value.repeat(1, 2).contiguous() if "lora_A" in name else value
                for name, value in weights.items()
            },
            wider / "adapter_model.safetensors",
        )
        prompt_tuning = tiny_lora(tmp_path / "prompt_tuning")
        config = json.loads((prompt_tuning / "adapter_config.json").read_text())
        (prompt_tuning / "adapter_config.json").write_text(
            json.dumps(config | {"peft_type": "PROMPT_TUNING"})
        )
        dora = tiny_lora(tmp_path / "dora")
        (dora / "adapter_config.json").write_text(json.dumps(config | {"use_dora": True}))
        with pytest.raises(ModelError, match=r"layers\.7"):
            await engine.load_adapter("deeper", deeper)
        with pytest.raises(ModelError, match="does not fit"):
            await engine.load_adapter("wider", wider)
        with pytest.raises(UnsupportedField, match="only LoRA"):
            await engine.load_adapter("tuning", prompt_tuning)
        with pytest.raises(UnsupportedField, match="DoRA"):
            await engine.load_adapter("dora", dora)
        assert engine.adapters() == ()


def test_nothing_heavy_is_imported_before_start() -> None:
    code = (
        "import sys, chatapp.engine.transformers.engine\n"
        "heavy = {'torch', 'transformers', 'peft', 'bitsandbytes', 'accelerate'}\n"
        "print(*(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
