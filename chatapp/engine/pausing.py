"""An engine that can step aside for a while, so that its memory serves something else."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from chatapp.engine.base import Engine
from chatapp.engine.occupancy import Occupancy
from chatapp.errors import EnginePaused
from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, EngineInfo, Sampling

_GRACE_SECONDS = 60.0


class PausingEngine:
    """Passes everything on; while it is paused, questions are refused with the reason.

    Adapters that were loaded, or are loaded meanwhile, are there again afterwards.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reason: Callable[[], str] | None = None
        self._folders: dict[str, Path] = {}
        self._answers = Occupancy()
        self._changing = asyncio.Lock()

    @property
    def info(self) -> EngineInfo:
        """What is answering."""
        return self._engine.info

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be answered."""
        return self._reason is None and self._engine.ready

    @property
    def paused(self) -> bool:
        """Whether it has stepped aside."""
        return self._reason is not None

    async def start(self) -> None:
        """Load the weights; see ``Engine.start``."""
        await self._engine.start()

    async def close(self) -> None:
        """Stop everything; see ``Engine.close``."""
        await self._engine.close()

    async def pause(self, reason: Callable[[], str]) -> None:
        """Let running answers be finished, for at most a minute, and free the memory.

        Args:
            reason: the sentence for whoever asks meanwhile.
        """
        async with self._changing:
            self._reason = reason
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_SECONDS):
                    await self._answers.idle.wait()
            await self._engine.close()
            await asyncio.to_thread(_empty_the_gpu)

    async def resume(self) -> None:
        """Be back, with the adapters.

        Raises:
            ModelError: the weights cannot be loaded any more; it stays paused.
        """
        async with self._changing:
            if self._reason is None:
                return
            await self._engine.start()
            for name, folder in self._folders.items():
                await self._engine.load_adapter(name, folder)
            self._reason = None

    def memory_bytes(self) -> int:
        """Memory held for the model now, in bytes."""
        return self._engine.memory_bytes()

    def load(self) -> tuple[int, int]:
        """How many requests are being answered, and how many are waiting."""
        return self._engine.load()

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Length of the prompt in tokens."""
        self._refuse()
        return await self._engine.count_tokens(messages)

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling, adapter: str | None = None
    ) -> AsyncGenerator[EngineEvent, None]:
        """Answer; see ``Engine.stream``.

        Raises:
            EnginePaused: it has stepped aside, and why.
        """
        self._refuse()
        self._answers.enter()
        try:
            async with aclosing(self._engine.stream(messages, sampling, adapter)) as events:
                async for event in events:
                    yield event
        finally:
            self._answers.leave()

    def adapters(self) -> tuple[str, ...]:
        """Names of the loaded adapters."""
        return tuple(self._folders) if self.paused else self._engine.adapters()

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Load an adapter; see ``Engine.load_adapter``. While paused it is remembered."""
        async with self._changing:
            if not self.paused:
                await self._engine.load_adapter(name, folder)
            self._folders[name] = folder

    async def unload_adapter(self, name: str) -> None:
        """Forget an adapter; see ``Engine.unload_adapter``."""
        async with self._changing:
            if not self.paused:
                await self._engine.unload_adapter(name)
            self._folders.pop(name, None)

    def _refuse(self) -> None:
        if self._reason is not None:
            raise EnginePaused(self._reason())


def _empty_the_gpu() -> None:
    """torch keeps memory for later unless it is told that there is no later."""
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
