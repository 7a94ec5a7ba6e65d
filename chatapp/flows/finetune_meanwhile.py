"""What the chat does while a run learns on the same GPU: it stays, or steps aside and says so."""

from __future__ import annotations

import asyncio
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from chatapp.errors import ChatAppError
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog

log = logging.getLogger(__name__)

_SPARE = 1.15
_WORKING_MB = 2_000.0
_TIMES_WEIGHTS = 2.0
"""What learning takes, weights included, where nobody has measured it."""


class Pauses(Protocol):
    """An engine that can step aside."""

    @property
    def paused(self) -> bool:
        """Whether it has."""
        ...

    async def pause(self, reason: Callable[[], str]) -> None:
        """Step aside."""
        ...

    async def resume(self) -> None:
        """Be back."""
        ...


class Meanwhile:
    """Decides by the GPU's free memory, as it is measured just before a run begins.

    Args:
        engine: the chat's.
        free_mb: of the GPU.
    """

    def __init__(self, engine: Pauses, free_mb: Callable[[], float]) -> None:
        self._engine = engine
        self._free_mb = free_mb

    async def make_room(self, folder: RunFolder) -> None:
        """Pause the chat if the run would not fit beside it; the run says so."""
        needed, free = needed_mb(folder), await asyncio.to_thread(self._free_mb)
        if self._engine.paused or needed * _SPARE < free:
            return
        RunLog(folder).notice(
            f"The chat pauses while this run learns: it needs about {needed / 1000:.1f} GB of the "
            f"GPU, and only {free / 1000:.1f} GB were free."
        )
        await self._engine.pause(lambda: _until(folder))

    async def give_back(self) -> None:
        """Let the chat answer again, once nothing learns any more."""
        if self._engine.paused:
            try:
                await self._engine.resume()
            except ChatAppError as error:
                log.error("The chat cannot go on yet: %s", error.sentence)


def needed_mb(folder: RunFolder) -> float:
    """GPU memory of a run: what a dry run measured, else a guess from the size of the weights."""
    if measured := folder.source.gpu_mb:
        return measured
    weights = Path(folder.config.base).glob("*.safetensors")
    return _WORKING_MB + _TIMES_WEIGHTS * sum(one.stat().st_size for one in weights) / 1e6


def gpu_free_mb() -> float:
    """Free memory of the first GPU; 0 where it cannot be asked."""
    command = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return float(said.stdout.split()[0]) * 1.048576
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return 0.0


def _until(folder: RunFolder) -> str:
    left = folder.written_state.seconds_left
    when = "in a while" if left is None else f"in about {max(1, round(left / 60))} min"
    return (
        "The assistant is learning something new, which takes all of this machine's GPU. It "
        f"answers again {when}."
    )
