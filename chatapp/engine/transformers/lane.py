"""A lane: one model, one continuous batch, one KV cache, in a thread of its own."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import threading
from dataclasses import dataclass

import torch
from transformers import (
    ContinuousBatchingConfig,
    ContinuousBatchingManager,
    GenerationConfig,
    PreTrainedModel,
)
from transformers.generation.continuous_batching.cache import (
    find_head_dim,
    find_num_key_value_heads,
)
from transformers.generation.continuous_batching.requests import GenerationOutput, RequestStatus

from chatapp.engine.local_request import LocalRequest, NewIds
from chatapp.engine.transformers.sampling import TokenChooser, install_choosers
from chatapp.errors import EngineDied, ModelError

_log = logging.getLogger(__name__)

_SHORTEST = 256
"""Tokens; less room than this is of no use to a conversation."""

_STOP_SECONDS = 30
"""Longest wait for a forward pass to end when a lane is closed."""


@dataclass(frozen=True, slots=True)
class CacheSize:
    """Shape of a paged KV cache.

    Attributes:
        page: tokens a page; prompts share whole pages.
        pages: pages in the cache.
        batch_tokens: most tokens in one forward pass; longer prompts are read in pieces.
    """

    page: int
    pages: int
    batch_tokens: int

    @property
    def tokens(self) -> int:
        """How many tokens fit."""
        return self.page * self.pages

    @classmethod
    def within(
        cls, budget: float, model: PreTrainedModel, longest: int, conversations: int
    ) -> CacheSize:
        """The largest cache for ``model`` in ``budget`` bytes that can be of use.

        Args:
            longest: most tokens of one conversation.
            conversations: most of them at the same time.

        Raises:
            ModelError: the budget is too small to hold a conversation at all.
        """
        gpu = model.device.type == "cuda"
        # FlashAttention 2 reads pages of 256 tokens; small pages share more of short prompts.
        page, batch_tokens = (256, 1024) if gpu else (32, 512)
        config = model.config.get_text_config()
        values = 2 * find_num_key_value_heads(config) * find_head_dim(config)
        # Each cached token also has a column in the attention mask.
        token_bytes = model.dtype.itemsize * (config.num_hidden_layers * values + batch_tokens)
        useful = (conversations + 1) * math.ceil(longest / page)
        pages = min(int(budget / (token_bytes * page)), useful)
        if pages * page < min(longest, _SHORTEST):
            raise ModelError(
                f"Only {pages * page:,} tokens fit into the memory set aside for conversations. "
                "Raise CHATAPP_KV_CACHE_GB, or on a GPU CHATAPP_GPU_MEMORY."
            )
        return cls(page, pages, batch_tokens)


class Lane:
    """Streams many answers from one model. For one event loop."""

    def __init__(self, model: PreTrainedModel, size: CacheSize, max_running: int) -> None:
        self._model = model
        self._size = size
        self._max_running = max_running
        self._manager: ContinuousBatchingManager | None = None
        self._up = asyncio.Event()
        self._held: dict[str, asyncio.Queue[GenerationOutput | None]] = {}
        self._numbers = itertools.count()
        self._served = False
        self._closing = False
        self._restarting: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the batch's thread is running."""
        return self._manager is not None

    async def start(self) -> None:
        """Reserve the cache and start the thread.

        Raises:
            ModelError: there is no memory for the cache.
        """
        manager = await asyncio.to_thread(self._build)
        loop = asyncio.get_running_loop()
        self._served = False
        self._manager = manager
        self._up.set()

        def watch(thread: threading.Thread) -> None:
            thread.join()
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._on_death, manager)

        threading.Thread(
            target=watch, args=(manager._generation_thread,), name="lane watch", daemon=True
        ).start()

    async def close(self) -> None:
        """Stop the thread; the requests it holds end with EngineDied."""
        self._closing = True
        self._fail_held()
        if self._restarting is not None:
            await self._restarting
        manager, self._manager = self._manager, None
        if manager is not None:
            await asyncio.to_thread(_stop, manager)

    async def generate(self, request: LocalRequest) -> NewIds:
        """Yield new token ids as they come; an end token, if there is one, comes too.

        Closing the generator cancels the request before the second next forward pass.

        Args:
            request: its prompt must fit into the cache together with the new tokens; the
                library's loop dies of a request that does not.

        Raises:
            EngineDied: the thread died or was closed; it is started again.
        """
        manager = await self._accepting()
        request_id = str(next(self._numbers))
        outputs: asyncio.Queue[GenerationOutput | None] = asyncio.Queue()
        self._held[request_id] = outputs
        finished = False
        try:
            manager.register_result_handler(request_id, outputs.put_nowait)
            manager.add_request(
                list(request.prompt),
                request_id=request_id,
                max_new_tokens=request.sampling.max_tokens,
                streaming=True,
                eos_token_id=sorted(request.tokenizer.eos_ids),
                chooser=TokenChooser(request.sampling, request.prompt),
            )
            seen = 0
            while not finished:
                output = await outputs.get()
                if output is None or output.status == RequestStatus.FAILED:
                    raise _died()
                self._served = True
                finished = output.is_finished()
                new, seen = output.generated_tokens[seen:], len(output.generated_tokens)
                yield new
        finally:
            del self._held[request_id]
            if not finished:
                manager.cancel_request(request_id)
                # A cancelled request delivers nothing more, so its handler would stay forever.
                manager.output_router.result_handlers.pop(request_id, None)

    async def _accepting(self) -> ContinuousBatchingManager:
        """The running manager; waits while it is started again."""
        await self._up.wait()
        if self._manager and self._manager.background_thread_status.can_accept_new_requests():
            self._on_death(self._manager)  # it died, and its thread has not ended yet
            await self._up.wait()
        if self._manager is None or self._closing:
            raise _died()
        return self._manager

    def cache_bytes(self) -> int:
        """Size of the KV cache."""
        processor = self._manager.batch_processor if self._manager else None
        return int(processor.cache.cache_tensor.nbytes) if processor else 0

    def _build(self) -> ContinuousBatchingManager:
        config = ContinuousBatchingConfig(
            page_size=self._size.page,
            num_blocks=self._size.pages,
            max_batch_tokens=self._size.batch_tokens,
            max_requests_per_batch=self._max_running,
            max_memory_percent=1.0,  # the size above is the budget
            allow_block_sharing=True,
            # Tokens are chosen in Python, see install_choosers.
            use_cuda_graph=False,
            use_async_batching=False,
        )
        greedy = GenerationConfig(do_sample=False, eos_token_id=-1)
        manager = self._model.init_continuous_batching(greedy, config)
        install_choosers(manager)
        try:
            manager.warmup()  # allocates the cache; without CUDA graphs it does no more
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise ModelError(
                f"There is not enough memory for the model's KV cache: {error} Lower "
                "CHATAPP_KV_CACHE_GB, CHATAPP_MAX_RUNNING or CHATAPP_CONTEXT_LENGTH."
            ) from error
        manager.start()
        return manager

    def _fail_held(self) -> None:
        for outputs in self._held.values():
            outputs.put_nowait(None)

    def _on_death(self, manager: ContinuousBatchingManager) -> None:
        if self._closing or self._manager != manager:
            return
        cause = manager.background_thread_status.fatal_error
        _log.error("The generation thread died: %r", cause)
        self._manager = None
        self._fail_held()
        if self._served:  # else it would die at every start
            self._up.clear()
            self._restarting = asyncio.get_running_loop().create_task(self._restart(manager))

    async def _restart(self, dead: ContinuousBatchingManager) -> None:
        try:
            await asyncio.to_thread(_stop, dead)
            await self.start()
            _log.info("The generation thread was started again.")
        except ModelError as error:
            _log.error("The generation thread could not be started again: %s", error.sentence)
        finally:
            self._up.set()


def _stop(manager: ContinuousBatchingManager) -> None:
    manager.stop(block=True, timeout=_STOP_SECONDS, hard_stop=True)


def _died() -> EngineDied:
    return EngineDied(
        "The model stopped while it was writing this answer. Please send the question again."
    )
