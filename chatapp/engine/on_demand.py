"""An engine that loads its weights only when it is asked something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from chatapp.engine.base import Engine
from chatapp.errors import ChatAppError
from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, EngineInfo, Sampling

log = logging.getLogger(__name__)


class OnDemandEngine:
    """Stands before another engine and starts it with the first request.

    For a program that answers one question: an approved answer or a refusal needs no model.

    Args:
        adapter: the name and the folder of the one that answers requests that name none. Where it
            cannot be loaded, the base answers.
    """

    def __init__(self, engine: Engine, adapter: tuple[str, Path] | None = None) -> None:
        self._engine = engine
        self._adapter = adapter
        self._starting = asyncio.Lock()
        self._started = False

    @property
    def info(self) -> EngineInfo:
        """What would answer, as far as it is known before it is started."""
        return self._engine.info

    @property
    def ready(self) -> bool:
        """Whether the weights are loaded."""
        return self._engine.ready

    async def start(self) -> None:
        """Put it off. An engine that learns its context length by starting is started at once,
        as no prompt can be made without.

        Raises:
            ModelError: the weights cannot be loaded, with the reason.
        """
        if not self._engine.info.context_length:
            await self._start()

    async def close(self) -> None:
        """Close the engine, whether or not it was started."""
        await self._engine.close()

    def memory_bytes(self) -> int:
        """Memory held for the model now, in bytes."""
        return self._engine.memory_bytes() if self._started else 0

    def load(self) -> tuple[int, int]:
        """How many requests are being answered, and how many are waiting."""
        return self._engine.load()

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Length in tokens of the prompt these messages make."""
        await self._start()
        return await self._engine.count_tokens(messages)

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling, adapter: str | None = None
    ) -> AsyncGenerator[EngineEvent, None]:
        """Answer the last message; see ``Engine``."""
        await self._start()
        if adapter is None and self._adapter is not None:
            adapter = self._adapter[0]
        async with aclosing(self._engine.stream(messages, sampling, adapter)) as events:
            async for event in events:
                yield event

    def adapters(self) -> tuple[str, ...]:
        """Names of the loaded adapters."""
        return self._engine.adapters()

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Make an adapter answer under ``name``; see ``Engine``."""
        await self._start()
        await self._engine.load_adapter(name, folder)

    async def unload_adapter(self, name: str) -> None:
        """Forget an adapter; see ``Engine``."""
        await self._engine.unload_adapter(name)

    async def _start(self) -> None:
        async with self._starting:
            if not self._started:
                await self._engine.start()
                self._started = True
                await self._load_adapter()

    async def _load_adapter(self) -> None:
        if self._adapter is None:
            return
        try:
            await self._engine.load_adapter(*self._adapter)
        except ChatAppError as error:
            log.warning("%s The base answers instead.", error.sentence)
            self._adapter = None
