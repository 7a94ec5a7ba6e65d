"""Who takes part, and how each is started on the same weights."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.client import Heard, LoadResult, play
from benchmarks.loads import Load, Messages
from benchmarks.processes import StartFailed, answering, free_port, running
from chatapp.engine.models.prepare import PreparedModel
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage

HERE = Path(__file__).parent


class Skipped(Exception):
    """A contender that cannot run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The same model in every form that a contender reads."""

    prepared: PreparedModel
    gguf: Path
    data: Path
    tokenizer: ChatTokenizer

    def encode(self, messages: Messages) -> list[int]:
        """The token ids of a prompt."""
        turns = [ChatMessage(one["role"], one["content"]) for one in messages]  # type: ignore[arg-type]
        return self.tokenizer.encode_chat(turns)


class Player(Protocol):
    """A contender that runs."""

    pid: int

    async def play(self, load: Load, prompts: list[list[Messages]]) -> LoadResult:
        """Play a load against it."""
        ...


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who takes part; ``start`` may raise Skipped or StartFailed."""

    name: str
    describes: str
    start: Callable[[Weights], AbstractAsyncContextManager[Player]]


@dataclass(frozen=True, slots=True)
class HttpPlayer:
    """A server with OpenAI's API."""

    pid: int
    url: str
    model: str

    async def play(self, load: Load, prompts: list[list[Messages]]) -> LoadResult:
        """Play a load through HTTP."""
        return await play(self.url, self.model, load, prompts)


@dataclass(frozen=True, slots=True)
class PipePlayer:
    """The bare library, which reads token ids from a pipe."""

    process: asyncio.subprocess.Process
    weights: Weights

    @property
    def pid(self) -> int:
        """Of the process that holds the pipeline."""
        return self.process.pid

    async def play(self, load: Load, prompts: list[list[Messages]]) -> LoadResult:
        """Have the process play a load by itself."""
        order = {
            "sessions": [[self.weights.encode(one) for one in session] for session in prompts],
            "new_tokens": load.new_tokens,
            "seconds": load.seconds,
            "eos": sorted(self.weights.tokenizer.eos_ids),
        }
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = await self.line()
        assert isinstance(answer, dict)
        heard = [Heard(**one) for one in answer["heard"]]
        return LoadResult(heard, answer["seconds"], answer["cut"])

    async def line(self) -> object:
        """The next thing it says."""
        assert self.process.stdout
        line = await self.process.stdout.readline()
        if not line:
            raise StartFailed("the process ended")
        return json.loads(line)


@asynccontextmanager
async def _http(
    command: list[str], port: int, path: str, model: str, env: dict[str, str] | None = None
) -> AsyncIterator[Player]:
    async with running(command, env or {}) as process:
        await answering(process, port, path)
        yield HttpPlayer(process.pid, f"http://127.0.0.1:{port}/v1", model)


def _ours(engine: str) -> Callable[[Weights], AbstractAsyncContextManager[Player]]:
    def start(weights: Weights) -> AbstractAsyncContextManager[Player]:
        port = free_port()
        command = [sys.executable, "-m", "chatapp", "serve", "--port", str(port)]
        env = {
            "CHATAPP_DATA": str(weights.data),
            "CHATAPP_ENGINE": engine,
            "CHATAPP_MODEL": "bundled",
            "CHATAPP_API_KEYS": "",
            "CHATAPP_DATABASE_URL": "",
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        return _http(command, port, "/readyz", weights.prepared.name, env)

    return start


def _bare(precision: str) -> Callable[[Weights], AbstractAsyncContextManager[Player]]:
    @asynccontextmanager
    async def start(weights: Weights) -> AsyncIterator[Player]:
        folder = str(weights.prepared.openvino)
        command = [sys.executable, str(HERE / "bare_pipeline.py"), folder, precision]
        async with running(command, {}, piped=True) as process:
            player = PipePlayer(process, weights)
            await player.line()
            yield player

    return start


def _naive(weights: Weights) -> AbstractAsyncContextManager[Player]:
    port = free_port()
    script, folder = str(HERE / "naive_server.py"), str(weights.prepared.dense)
    return _http([sys.executable, script, folder, str(port)], port, "/health", "naive")


def _transformers_serve(weights: Weights) -> AbstractAsyncContextManager[Player]:
    port, folder = free_port(), str(weights.prepared.dense)
    command = [str(Path(sys.executable).with_name("transformers")), "serve", folder]
    # Without a size for its cache it takes 60% of the machine's memory: 512 blocks of 128 tokens
    # hold 32 sessions with long prompts.
    options = "--continuous-batching --device cpu --dtype bfloat16 --host 127.0.0.1"
    cache = "--cb-block-size 128 --cb-num-blocks 512 --cb-max-batch-tokens 512"
    command += [*options.split(), *cache.split(), "--port", str(port)]
    return _http(command, port, "/health", folder, {"HF_HUB_OFFLINE": "1"})


def _llama_cpp(python: Path | None) -> Callable[[Weights], AbstractAsyncContextManager[Player]]:
    def start(weights: Weights) -> AbstractAsyncContextManager[Player]:
        interpreter = _with_llama_cpp(python)
        port = free_port()
        command = [interpreter, "-m", "llama_cpp.server", "--model", str(weights.gguf)]
        # By default a new request breaks off the one that is being answered.
        options = "--host 127.0.0.1 --n_ctx 2048 --n_threads -1 --n_threads_batch -1"
        command += [*options.split(), "--interrupt_requests", "false", "--port", str(port)]
        return _http(command, port, "/v1/models", "llama")

    return start


def _with_llama_cpp(python: Path | None) -> str:
    own = HERE / ".venv" / "bin" / "python"
    if python is None and own.exists():
        python = own
    if python is not None:
        return str(python)
    if importlib.util.find_spec("llama_cpp"):
        return sys.executable
    raise Skipped(
        "llama-cpp-python is not installed; benchmarks/requirements.txt says how to install it"
    )


def contenders(llama_python: Path | None) -> list[Contender]:
    """Everybody; ours first."""
    return [
        Contender("chatapp", "this app, OpenVINO engine, through HTTP", _ours("openvino")),
        Contender("chatapp-nf4", "this app, transformers engine, NF4", _ours("transformers")),
        Contender("bare", "OpenVINO GenAI alone, its own precision, no HTTP", _bare("default")),
        Contender("bare-exact", "the same at the app's precision, no HTTP", _bare("exact")),
        Contender("tutorial", "generate + TextIteratorStreamer + lock, bf16", _naive),
        Contender("tf-serve", "transformers serve, batching, bf16", _transformers_serve),
        Contender("llama.cpp", "llama-cpp-python's server, Q4_1", _llama_cpp(llama_python)),
    ]
