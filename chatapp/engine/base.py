"""The one door to a language model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Protocol

from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, EngineInfo, Sampling


class Engine(Protocol):
    """Writes many answers at once from one set of weights.

    Requests share the engine's own continuous batch; there is no lock around generation. Every
    implementation passes ``tests/engine_contract.py``.
    """

    @property
    def info(self) -> EngineInfo:
        """What is answering."""
        ...

    async def start(self) -> None:
        """Load the weights; return once a question would be answered.

        Raises:
            ModelError: the weights cannot be loaded, with the reason.
        """
        ...

    async def close(self) -> None:
        """Stop everything and free the memory. Running requests end with EngineDied."""
        ...

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be answered."""
        ...

    def memory_bytes(self) -> int:
        """Memory held for the model now, in bytes: the worker's resident set, or the GPU's."""
        ...

    def load(self) -> tuple[int, int]:
        """How many requests are being answered, and how many are waiting."""
        ...

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Length in tokens of the prompt these messages make, ready for an answer."""
        ...

    def stream(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        adapter: str | None = None,
    ) -> AsyncGenerator[EngineEvent, None]:
        """Answer the last message.

        Yields ``Queued* Token* Done``. Closing the generator, or cancelling the task that reads
        it, cancels the request: its slot is free within two tokens.

        Args:
            messages: the conversation; texts that look like control tokens stay plain text.
            sampling: honoured in full, or refused.
            adapter: the name of a loaded LoRA adapter; None for the base model.

        Raises (from the first ``anext``, before the library sees the request):
            PromptTooLong: no room for even one new token.
            UnsupportedField: a sampling field that this engine cannot honour.
            NotFound: no adapter of that name is loaded.
            EngineBusy: no slot and no place in the queue.
        Raises (later):
            EngineError: generation failed; neighbours are unaffected.
        """
        ...

    def adapters(self) -> tuple[str, ...]:
        """Names of the loaded adapters."""
        ...

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Make a PEFT LoRA folder (safetensors) answer under ``name``.

        Raises:
            ModelError: the folder is not an adapter for this model, with the reason.
            UnsupportedField: this engine cannot serve such an adapter.
        """
        ...

    async def unload_adapter(self, name: str) -> None:
        """Forget an adapter; requests that use it finish first.

        Raises:
            NotFound: no adapter of that name is loaded.
        """
        ...
