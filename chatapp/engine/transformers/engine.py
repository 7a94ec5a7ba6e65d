"""The transformers engine: bitsandbytes weights, continuous batching, paged KV cache.

Each adapter in use has a lane of its own: a view of the model that shares the base weights, with
its own batch and its own KV cache. The library shares prompt prefixes by their tokens alone, so a
cache that served two adapters would mix their states; separate lanes are right by construction.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from chatapp.engine.admission import Admission
from chatapp.engine.local_request import LocalRequest
from chatapp.engine.occupancy import Occupancy
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import EngineDied, ModelError, NotFound
from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, EngineInfo, Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from chatapp.engine.transformers.lane import Lane

_BASE_SHARE, _ADAPTER_SHARE = 2 / 5, 1 / 5
"""Shares of the KV memory: the base model's lane, and each of three adapters' (the live one, and
two that are compared). A conversation is never longer than fits into the smallest lane."""


class _Place(Occupancy):
    """A lane, and the requests that run in it or wait for it."""

    def __init__(self, lane: Lane) -> None:
        super().__init__()
        self.lane = lane


class TransformersEngine:
    """Serves a prepared Hugging Face folder on the first GPU, or on the CPU."""

    def __init__(
        self,
        folder: Path,
        model_name: str,
        *,
        quantization: Literal["nf4", "int8", "none"] = "nf4",
        context_length: int | None = None,
        max_running: int = 32,
        max_waiting: int = 64,
        gpu_memory: float = 0.9,
        kv_cache_gb: float = 1.0,
        threads: int | None = None,
    ) -> None:
        """Nothing is loaded before ``start``.

        Args:
            folder: config, tokenizer and ``*.safetensors``.
            model_name: as ``info`` shall say it.
            context_length: at most this many tokens a conversation; None: what the model has.
                It is lowered to what the KV cache holds.
            gpu_memory: share of the GPU's memory for weights and KV cache, above 0 to 1.
            kv_cache_gb: memory for the KV cache on a CPU, in GiB.
            threads: CPU threads for the model; None: the library's choice.
        """
        self._folder = folder
        self._quantization: Literal["nf4", "int8", "none"] = quantization
        self._wanted_context = context_length
        self._max_running = max_running
        self._gpu_memory = gpu_memory
        self._kv_bytes = int(kv_cache_gb * 2**30)
        self._threads = threads
        self._admission = Admission(max_running, max_waiting)
        self._places: dict[str | None, _Place] = {}
        self._leaving: set[_Place] = set()
        self._changing = asyncio.Lock()
        self._tokenizer: ChatTokenizer | None = None
        self._model: PreTrainedModel | None = None
        self._info = EngineInfo(
            engine="transformers",
            model=model_name,
            quantization=quantization,
            device="",
            context_length=context_length or 0,
        )

    @property
    def info(self) -> EngineInfo:
        """What is answering; device and context length are known once it has started."""
        return self._info

    @property
    def ready(self) -> bool:
        """Whether the base model's lane is running."""
        return None in self._places and self._places[None].lane.ready

    async def start(self) -> None:
        """Load the weights and start the base model's lane.

        Raises:
            ModelError: the files or the memory do not suffice, with the reason.
        """
        self._tokenizer = ChatTokenizer.load(self._folder)
        self._model, self._info = await asyncio.to_thread(self._load)
        try:
            self._places[None] = _Place(await self._lane(self._model, _BASE_SHARE))
        except ModelError:
            self._model = None
            raise

    async def close(self) -> None:
        """End running requests with EngineDied and let go of the weights."""
        places = {*self._places.values(), *self._leaving}
        self._places, self._model = {}, None
        await asyncio.gather(*(place.lane.close() for place in places))

    def memory_bytes(self) -> int:
        """Weights and reserved KV caches, in bytes."""
        if self._model is None:
            return 0
        caches = sum(place.lane.cache_bytes() for place in self._places.values())
        return int(self._model.get_memory_footprint()) + caches

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
        place = self._place(adapter)
        request = LocalRequest.read(
            self._started_tokenizer(), messages, sampling, self._info.context_length
        )
        place.enter()
        try:
            answered = request.answered(self._admission, lambda: place.lane.generate(request))
            async with aclosing(answered) as events:
                async for event in events:
                    yield event
        finally:
            place.leave()

    def adapters(self) -> tuple[str, ...]:
        """Names of the loaded adapters, oldest first."""
        return tuple(name for name in self._places if name is not None)

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Open a lane for a LoRA folder. An adapter that had this name finishes its answers.

        Raises:
            ModelError: it is not a LoRA adapter for this model, or there is no memory for it.
            UnsupportedField: it is another kind of adapter.
        """
        from chatapp.engine.transformers.loading import with_adapter

        async with self._changing:
            if self._model is None:
                raise _not_running()
            view = await asyncio.to_thread(with_adapter, self._model, folder)
            place = _Place(await self._lane(view, _ADAPTER_SHARE))
            if not self.ready:  # closed meanwhile
                await place.lane.close()
                raise _not_running()
            replaced = self._places.get(name)
            self._places[name] = place
            if replaced is not None:
                await self._let_go(replaced)

    async def unload_adapter(self, name: str) -> None:
        """Close an adapter's lane once its last answer is written.

        Raises:
            NotFound: no adapter of that name is loaded.
        """
        async with self._changing:
            place = self._place(name)
            del self._places[name]
            await self._let_go(place)

    async def _let_go(self, place: _Place) -> None:
        self._leaving.add(place)
        await place.idle.wait()
        await place.lane.close()
        self._leaving.discard(place)

    def _place(self, adapter: str | None) -> _Place:
        if not self._places:
            raise _not_running()
        if adapter not in self._places:
            raise NotFound(f"No adapter named {adapter} is loaded.")
        return self._places[adapter]

    def _started_tokenizer(self) -> ChatTokenizer:
        if self._tokenizer is None:
            raise _not_running()
        return self._tokenizer

    def _load(self) -> tuple[PreTrainedModel, EngineInfo]:
        import torch

        from chatapp.engine.transformers.lane import CacheSize
        from chatapp.engine.transformers.loading import load_model, quantization_of

        if self._threads is not None:
            torch.set_num_threads(self._threads)
        model = load_model(self._folder, self._quantization, self._gpu_memory)
        on_gpu = model.device.type == "cuda"
        if on_gpu:
            free, total = torch.cuda.mem_get_info(model.device)
            self._kv_bytes = int(free - total * (1 - self._gpu_memory))
        longest = int(model.config.get_text_config().max_position_embeddings)
        longest = min(longest, self._wanted_context or longest)
        smallest = CacheSize.within(
            self._kv_bytes * _ADAPTER_SHARE, model, longest, self._max_running
        )
        return model, EngineInfo(
            engine="transformers",
            model=self._info.model,
            quantization=quantization_of(model),
            device=torch.cuda.get_device_name(model.device) if on_gpu else "CPU",
            context_length=min(longest, smallest.tokens),
            parameters=model.num_parameters(),
        )

    async def _lane(self, model: PreTrainedModel, share: float) -> Lane:
        from chatapp.engine.transformers.lane import CacheSize, Lane

        budget, longest = self._kv_bytes * share, self._info.context_length
        size = CacheSize.within(budget, model, longest, self._max_running)
        lane = Lane(model, size, self._max_running)
        await lane.start()
        return lane


def _not_running() -> EngineDied:
    return EngineDied("The model is not running. Please try again when it has started.")
