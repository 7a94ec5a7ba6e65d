"""The engine for Hugging Face ZeroGPU Spaces.

There, a GPU exists only inside functions marked ``@spaces.GPU``, for some seconds, in a process
that is forked for them. Nothing can run between requests, so there is no continuous batching: one
answer is written at a time. Elsewhere the mark does nothing, and this engine uses what there is.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.engine.admission import Admission
from chatapp.engine.local_request import LocalRequest, NewIds
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import (
    ChatAppError,
    EngineDied,
    EngineError,
    NotFound,
    UnsupportedField,
)
from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, EngineInfo, Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Generate = Callable[[list[int], Sampling, int, frozenset[int]], Iterator[int]]
"""Prompt, sampling, most new tokens, end tokens → new tokens, an end token included."""

_LONGEST = 16_384
"""Tokens; reading a longer prompt would use up a visitor's seconds on the GPU."""


def gpu_seconds(
    prompt: list[int], _sampling: Sampling, max_tokens: int, _eos_ids: frozenset[int]
) -> int:
    """Seconds on the GPU to ask for: visitors with little left are refused long requests.

    Taken from a slow case, an 8B model in bfloat16: 25 tokens/s after 1,000 prompt tokens/s, and
    10 s to move the weights. ``spaces`` calls it with the arguments of the marked function.
    """
    return min(120, 10 + len(prompt) // 1_000 + max_tokens // 25)


class ZeroGPUEngine:
    """Writes one answer at a time inside a ``@spaces.GPU`` function."""

    def __init__(self, folder: Path, model_name: str, *, max_waiting: int = 64) -> None:
        """Nothing is loaded before ``start``.

        Args:
            folder: config, tokenizer and ``*.safetensors``.
            model_name: as ``info`` shall say it.
            max_waiting: requests that may wait; one more is refused at once.
        """
        self._folder = folder
        self._admission = Admission(1, max_waiting)
        self._tokenizer: ChatTokenizer | None = None
        self._model: PreTrainedModel | None = None
        self._generate: Generate | None = None
        self._pumps: set[_Pump] = set()
        self._info = EngineInfo(
            engine="zerogpu", model=model_name, quantization="", device="", context_length=0
        )

    @property
    def info(self) -> EngineInfo:
        """What is answering; complete once it has started."""
        return self._info

    @property
    def ready(self) -> bool:
        """Whether the weights are loaded."""
        return self._generate is not None

    async def start(self) -> None:
        """Load the weights, place them, and tell ZeroGPU about the function.

        Call it in the thread that imports ``spaces`` first: the package's stand-in for a GPU
        lives in that thread.

        Raises:
            ModelError: the weights or the tokenizer cannot be loaded.
        """
        import spaces  # before torch, which it patches
        import torch

        from chatapp.engine.transformers.loading import load_unquantized, quantization_of

        self._tokenizer = ChatTokenizer.load(self._folder)
        model = await asyncio.to_thread(load_unquantized, self._folder)
        on_gpu = torch.cuda.is_available()
        if on_gpu:
            model.to("cuda")
        self._model = model
        self._generate = spaces.GPU(duration=gpu_seconds)(_generator(model))
        if hasattr(spaces.zero, "startup"):
            spaces.zero.startup()  # it waits for Blocks.launch, which a mounted app never calls
        self._info = EngineInfo(
            engine=self._info.engine,
            model=self._info.model,
            quantization=quantization_of(model),
            device="ZeroGPU" if on_gpu else "CPU",
            context_length=min(
                _LONGEST, int(model.config.get_text_config().max_position_embeddings)
            ),
            parameters=model.num_parameters(),
        )

    async def close(self) -> None:
        """End the running answer with EngineDied and let go of the weights."""
        self._generate, self._model = None, None
        for pump in self._pumps:
            pump.stop(_not_running())
        await asyncio.gather(*(pump.ended.wait() for pump in self._pumps))

    def memory_bytes(self) -> int:
        """Size of the weights."""
        return 0 if self._model is None else int(self._model.get_memory_footprint())

    def load(self) -> tuple[int, int]:
        """Requests being answered (0 or 1), requests waiting."""
        return self._admission.running, self._admission.waiting

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Length of the prompt in tokens."""
        if self._tokenizer is None:
            raise _not_running()
        return len(self._tokenizer.encode_chat(messages))

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling, adapter: str | None = None
    ) -> AsyncGenerator[EngineEvent, None]:
        """Answer; see ``Engine.stream``. Every sampling field is honoured."""
        if adapter is not None:
            raise NotFound(f"No adapter named {adapter} is loaded.")
        if self._tokenizer is None:
            raise _not_running()
        request = LocalRequest.read(self._tokenizer, messages, sampling, self._info.context_length)
        answered = request.answered(self._admission, lambda: self._tokens(request))
        async with aclosing(answered) as events:
            async for event in events:
                yield event

    async def _tokens(self, request: LocalRequest) -> NewIds:
        """The generator of the forked process, read in a thread of its own."""
        if (generate := self._generate) is None:
            raise _not_running()
        sampling, eos_ids = request.sampling, request.tokenizer.eos_ids
        pump = _Pump(generate(request.prompt, sampling, sampling.max_tokens, eos_ids))
        self._pumps.add(pump)
        try:
            while (token := await pump.next()) is not None:
                yield [token]
        finally:
            pump.stop()
            await pump.ended.wait()
            self._pumps.discard(pump)

    def adapters(self) -> tuple[str, ...]:
        """None: the forked process would not see an adapter that is loaded later."""
        return ()

    async def load_adapter(self, name: str, folder: Path) -> None:  # noqa: ARG002
        """Refuse.

        Raises:
            UnsupportedField: always.
        """
        raise UnsupportedField("adapter", "Adapters cannot be used on a ZeroGPU Space.")

    async def unload_adapter(self, name: str) -> None:
        """Refuse.

        Raises:
            NotFound: always; none can be loaded.
        """
        raise NotFound(f"No adapter named {name} is loaded.")


class _Pump:
    """Runs a blocking generator in a thread and hands its tokens to the event loop."""

    def __init__(self, tokens: Iterator[int]) -> None:
        self._tokens = tokens
        self._queue: asyncio.Queue[int | ChatAppError | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self.ended = asyncio.Event()
        """Set when the generator is closed."""
        # ``spaces`` finds out in the context whose GPU seconds are spent.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name="zerogpu", daemon=True).start()

    async def next(self) -> int | None:
        """The next token; None after the last.

        Raises:
            EngineError: the function failed, with its reason.
        """
        item = await self._queue.get()
        if isinstance(item, ChatAppError):
            raise item
        return item

    def stop(self, error: ChatAppError | None = None) -> None:
        """Close the generator after the token it is at; ``next`` raises ``error``."""
        self._stopped.set()
        if error is not None:
            self._queue.put_nowait(error)

    def _run(self) -> None:
        try:
            for token in self._tokens:
                if self._stopped.is_set():
                    break
                self._tell(self._queue.put_nowait, token)
            self._tell(self._queue.put_nowait, None)
        except Exception as error:  # noqa: BLE001  (gradio's errors have no narrower base)
            reason = _plain(getattr(error, "message", None) or str(error))
            self._tell(
                self._queue.put_nowait, EngineError(f"The Space's GPU did not answer: {reason}")
            )
        finally:
            self._tokens = iter(())  # drops the generator, which closes it
            self._tell(self.ended.set)

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(call, *arguments)


def _generator(model: PreTrainedModel) -> Generate:
    import torch

    from chatapp.engine.transformers.sampling import TokenChooser

    last_only = {"logits_to_keep": 1} if model._supports_logits_to_keep() else {}

    @torch.inference_mode()
    def generate(
        prompt: list[int], sampling: Sampling, max_tokens: int, eos_ids: frozenset[int]
    ) -> Iterator[int]:
        chooser = TokenChooser(sampling, prompt)
        ids, cache = torch.tensor([prompt], device=model.device), None
        for _ in range(max_tokens):
            output = model(input_ids=ids, past_key_values=cache, use_cache=True, **last_only)
            cache = output.past_key_values
            chosen = chooser.choose(output.logits[0, -1].float())
            ids = chosen.view(1, 1)
            token = int(chosen)
            yield token
            if token in eos_ids:
                return

    return generate


def _plain(text: str) -> str:
    """Without the HTML that ``spaces`` puts into its messages."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def _not_running() -> EngineDied:
    return EngineDied("The model is not running. Please try again when it has started.")
