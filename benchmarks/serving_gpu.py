"""Our transformers engine beside the tutorial's way, in NF4, on a GPU machine.

    python -m benchmarks.serving_gpu                     an 8B shape with random weights
    python -m benchmarks.serving_gpu --shape tiny --device cpu --quick

Needs torch, transformers, bitsandbytes, accelerate and peft, no download and no web framework:
both contenders are driven in this process, with the loads of ``benchmarks.serving``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    StoppingCriteria,
    TextIteratorStreamer,
)

from benchmarks.client import Heard, LoadResult
from benchmarks.loads import Load, Messages, loads
from benchmarks.random_model import SHAPES, write_model
from benchmarks.report import HEADER, Row, ratio_lines, ratios
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.engine.transformers.engine import TransformersEngine
from chatapp.errors import ChatAppError
from chatapp.events import Done, Token
from chatapp.records import ChatMessage, Sampling

Ask = Callable[[Messages, int, Heard], "asyncio.Future[None]"]


@asynccontextmanager
async def ours(folder: Path, device: str) -> AsyncIterator[Ask]:
    """This project's engine: one continuous batch."""
    del device  # it finds the GPU by itself
    engine = TransformersEngine(folder, "random", quantization="nf4", max_running=32)
    await engine.start()

    async def ask(messages: Messages, new_tokens: int, heard: Heard) -> None:
        began = time.perf_counter()
        turns = [ChatMessage(one["role"], one["content"]) for one in messages]  # type: ignore[arg-type]
        sampling = Sampling(max_tokens=new_tokens, temperature=0, top_p=1)
        try:
            async with aclosing(engine.stream(turns, sampling)) as events:
                async for event in events:
                    match event:
                        case Token():
                            heard.frames += 1
                            heard.first = heard.first or time.perf_counter() - began
                        case Done(usage=usage):
                            heard.counted, heard.finished = usage.completion_tokens, True
        except ChatAppError as error:
            heard.error = error.sentence

    try:
        yield lambda *question: asyncio.ensure_future(ask(*question))
    finally:
        await engine.close()


class _Ear(TextIteratorStreamer):
    """Counts tokens where they are made; the first one counts as shown."""

    def __init__(self, tokenizer: object, heard: Heard) -> None:
        super().__init__(tokenizer, skip_prompt=True)  # type: ignore[arg-type]
        self._heard, self._began = heard, time.perf_counter()

    def put(self, value: torch.Tensor) -> None:
        """Count, then stream."""
        if not self.next_tokens_are_prompt:
            self._heard.frames += value.numel()
            self._heard.first = self._heard.first or time.perf_counter() - self._began
        super().put(value)


class _Cut(StoppingCriteria):
    """Ends what nobody waits for any more."""

    def __init__(self) -> None:
        self.now = threading.Event()

    def __call__(self, *_: object, **__: object) -> bool:
        return self.now.is_set()


@asynccontextmanager
async def tutorial(folder: Path, device: str) -> AsyncIterator[Ask]:
    """``generate``, a ``TextIteratorStreamer`` and a lock."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, device_map=device, quantization_config=quantization
    )
    lock, threads = threading.Lock(), ThreadPoolExecutor(64)

    def generate(messages: Messages, new_tokens: int, heard: Heard, cut: _Cut) -> None:
        ear = _Ear(tokenizer, heard)
        inputs = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(device)
        with lock:
            if cut.now.is_set():
                return
            model.generate(
                **inputs,
                max_new_tokens=new_tokens,
                do_sample=False,
                streamer=ear,
                stopping_criteria=[cut],
            )
        heard.finished = True

    async def ask(messages: Messages, new_tokens: int, heard: Heard) -> None:
        cut = _Cut()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(threads, generate, messages, new_tokens, heard, cut)
        finally:
            cut.now.set()

    try:
        yield lambda *question: asyncio.ensure_future(ask(*question))
    finally:
        threads.shutdown()


async def play(ask: Ask, load: Load, prompts: list[list[Messages]]) -> LoadResult:
    """Like ``benchmarks.client.play``, without a network."""
    heard: list[Heard] = []

    async def session(conversations: list[Messages]) -> None:
        for messages in conversations:
            heard.append(Heard())
            await ask(messages, load.new_tokens, heard[-1])

    began = time.perf_counter()
    sessions = [asyncio.create_task(session(conversations)) for conversations in prompts]
    _, late = await asyncio.wait(sessions, timeout=load.seconds)
    seconds = time.perf_counter() - began
    for task in late:
        task.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    return LoadResult(heard, seconds, cut=bool(late))


async def measure(
    name: str,
    contender: AbstractAsyncContextManager[Ask],
    plan: list[Load],
    tokenizer: ChatTokenizer,
) -> list[Row]:
    """Play every load; the rows are printed as they come."""

    def count(messages: Messages) -> int:
        turns = [ChatMessage(one["role"], one["content"]) for one in messages]  # type: ignore[arg-type]
        return len(tokenizer.encode_chat(turns))

    rows = []
    async with contender as ask:
        warm_up = Load(kind="short", sessions=1, rounds=1, new_tokens=8, seconds=120)
        await play(ask, warm_up, warm_up.prompts(count))
        for load in plan:
            result = await play(ask, load, load.prompts(count))
            rows.append(Row.of(name, load, result, _peak()))
            print(rows[-1].line(), flush=True)
    return rows


def _peak() -> int:
    """Most bytes of GPU memory in use so far; without a GPU it is not measured."""
    return torch.cuda.max_memory_reserved() if torch.cuda.is_available() else 0


def main() -> None:
    """Measure, print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--shape", choices=SHAPES, default="8b")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="fewer sessions, shorter answers")
    parser.add_argument("--folder", type=Path, help="keep the random weights here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / options.shape
        write_model(folder, SHAPES[options.shape], options.device)
        rows = _run(folder, options.device, loads(quick=options.quick))
    found = ratios(rows, "chatapp-nf4")
    print("\nTokens/s of chatapp-nf4, as a multiple of")
    print("\n".join(ratio_lines(found, list(dict.fromkeys(row.load for row in rows)))))
    if options.json:
        results = {"rows": [asdict(row) for row in rows], "ratios": found}
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _run(folder: Path, device: str, plan: list[Load]) -> list[Row]:
    tokenizer = ChatTokenizer.load(folder)
    print(HEADER)
    rows = asyncio.run(measure("tutorial", tutorial(folder, device), plan, tokenizer))
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return rows + asyncio.run(measure("chatapp-nf4", ours(folder, device), plan, tokenizer))


if __name__ == "__main__":
    main()
