"""The OpenVINO engine: continuous batching on a CPU, in a worker process of its own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from chatapp.engine.admission import Admission
from chatapp.engine.local_request import LocalRequest
from chatapp.engine.occupancy import Occupancy
from chatapp.engine.openvino.parameters import parameter_count
from chatapp.engine.openvino.protocol import BASE, Order, Precision
from chatapp.engine.openvino.supervisor import Supervisor
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import EngineDied, NotFound
from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, EngineInfo, Sampling


class _Use(Occupancy):
    """A lane, and how many requests run in it or wait for it."""

    def __init__(self, lane: str) -> None:
        super().__init__()
        self.lane = lane


class OpenVINOEngine:
    """Serves a folder that ``chatapp.engine.openvino.ir`` made, or any OpenVINO language model."""

    def __init__(
        self,
        folder: Path,
        *,
        tokenizer: Path,
        model_name: str,
        quantization: str,
        context_length: int,
        threads: int | None = None,
        max_running: int = 32,
        max_waiting: int = 64,
        kv_cache_gb: float = 1.0,
        precision: Precision = "exact",
    ) -> None:
        """Nothing is loaded before ``start``.

        Args:
            folder: has ``openvino_model.xml`` and ``.bin``.
            tokenizer: folder with ``tokenizer.json`` and ``tokenizer_config.json``.
            model_name, quantization: as ``info`` shall say them.
            context_length: most tokens of a prompt and its answer.
            threads: CPU threads; None leaves it to the library.
            kv_cache_gb: most memory for the KV cache of the base model, and of each adapter.
            precision: ``exact`` computes in float32 and agrees with the dense model; ``fast``
                leaves it to the library.
        """
        self._tokenizer_folder = tokenizer
        self._tokenizer: ChatTokenizer | None = None
        self._admission = Admission(max_running, max_waiting)
        self._supervisor = Supervisor(
            {
                "folder": str(folder.resolve()),
                "threads": threads,
                "precision": precision,
                "kv_cache_gb": kv_cache_gb,
                "context_length": context_length,
            }
        )
        self._base = _Use(BASE)
        self._adapters: dict[str, _Use] = {}
        self._changing = asyncio.Lock()
        self._lane_numbers = itertools.count(1)
        self._info = EngineInfo(
            engine="openvino",
            model=model_name,
            quantization=quantization,
            device="CPU",
            context_length=context_length,
            parameters=parameter_count(folder),
        )

    @property
    def info(self) -> EngineInfo:
        """What is answering."""
        return self._info

    @property
    def ready(self) -> bool:
        """Whether the worker is up; it is not while it is being restarted."""
        return self._supervisor.ready

    async def start(self) -> None:
        """Start the worker and load the model.

        Raises:
            ModelError: the tokenizer or the model cannot be loaded, with the reason.
        """
        self._tokenizer = ChatTokenizer.load(self._tokenizer_folder)
        await self._supervisor.start()

    async def close(self) -> None:
        """End the worker; running requests end with EngineDied."""
        await self._supervisor.close()
        self._adapters.clear()

    def memory_bytes(self) -> int:
        """The worker's resident set, in bytes."""
        return self._supervisor.memory_bytes()

    def load(self) -> tuple[int, int]:
        """Requests in a slot, requests waiting for one; of all lanes together."""
        return self._admission.running, self._admission.waiting

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Length of the prompt in tokens."""
        return len(self._started_tokenizer().encode_chat(messages))

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling, adapter: str | None = None
    ) -> AsyncGenerator[EngineEvent, None]:
        """Answer; see ``Engine.stream``. Every sampling field is honoured."""
        use = self._use(adapter)
        request = LocalRequest.read(
            self._started_tokenizer(), messages, sampling, self._info.context_length
        )
        order = _order(request)
        use.enter()
        try:
            answered = request.answered(
                self._admission, lambda: self._supervisor.generate(use.lane, order)
            )
            async with aclosing(answered) as events:
                async for event in events:
                    yield event
        finally:
            use.leave()

    def adapters(self) -> tuple[str, ...]:
        """Names of the loaded adapters, oldest first; without what a restarted worker refused."""
        return tuple(name for name, use in self._adapters.items() if self._supervisor.has(use.lane))

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Build a pipeline for a LoRA folder; one that had this name is let go afterwards.

        Raises:
            ModelError: it is not a LoRA adapter for this model, with the reason.
        """
        async with self._changing:
            use = _Use(f"{name}#{next(self._lane_numbers)}")
            await self._supervisor.open(use.lane, folder)
            before = self._adapters.pop(name, None)
            self._adapters[name] = use
            if before is not None:
                await self._forget(before)

    async def unload_adapter(self, name: str) -> None:
        """Free an adapter's pipeline once its last answer is written.

        Raises:
            NotFound: no adapter of that name is loaded.
        """
        async with self._changing:
            use = self._use(name)
            del self._adapters[name]
            await self._forget(use)

    async def _forget(self, use: _Use) -> None:
        await use.idle.wait()
        await self._supervisor.shut(use.lane)

    def _use(self, adapter: str | None) -> _Use:
        if adapter is None:
            return self._base
        if adapter not in self._adapters:
            raise NotFound(f"No adapter named {adapter} is loaded.")
        return self._adapters[adapter]

    def _started_tokenizer(self) -> ChatTokenizer:
        if self._tokenizer is None:
            raise EngineDied("The model is not running. Please try again when it has started.")
        return self._tokenizer


def _order(request: LocalRequest) -> Order:
    sampling = request.sampling
    return {
        "prompt": request.prompt,
        "eos": sorted(request.tokenizer.eos_ids),
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "repetition_penalty": sampling.repetition_penalty,
        "seed": sampling.seed,
    }
