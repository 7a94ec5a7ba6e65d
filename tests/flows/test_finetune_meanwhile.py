"""The chat on a GPU while a run learns there: it stays, or steps aside, and is back afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chatapp.flows.finetune import FineTune
from chatapp.flows.finetune_meanwhile import Meanwhile, needed_mb
from chatapp.training.config import make_config
from chatapp.training.run.folder import RunFolder, Source
from chatapp.training.run.queue import RunQueue
from tests.flows.teaching import Bench
from tests.unit.training.run.runs import WORKER, ended, until


class Chat:
    """Steps aside when it is told to."""

    def __init__(self) -> None:
        self.paused = False
        self.said: list[str] = []
        self.reason: Callable[[], str] = str

    async def pause(self, reason: Callable[[], str]) -> None:
        self.paused, self.reason = True, reason
        self.said.append("paused")

    async def resume(self) -> None:
        self.paused = False
        self.said.append("back")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.finetune = FineTune(
        bench.folder, bench.bases, gpu=True, queue=RunQueue(bench.folder, 1, WORKER)
    )
    return bench


async def follow(bench: Bench, free_mb: float) -> tuple[Chat, RunFolder]:
    """A server with that much of the GPU free, until a run has ended and the chat is back."""
    bench.script(pause=0.01)
    chat = Chat()
    watching = asyncio.create_task(bench.finetune.watch(Meanwhile(chat, lambda: free_mb)))
    await asyncio.to_thread(until, lambda: bench.finetune._queue.is_served)
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    run = bench.finetune.launch(dataset.id, make_config({"task": "classify", "name": "shop"}))
    folder = bench.finetune.folder(run.id)
    await asyncio.to_thread(until, lambda: folder.state.status == "done")
    await asyncio.to_thread(ended, folder)
    await asyncio.to_thread(until, lambda: not chat.paused)
    watching.cancel()
    return chat, folder


async def test_the_chat_stays_where_there_is_room(bench: Bench) -> None:
    chat, folder = await follow(bench, 40_000)
    assert chat.said == []
    assert folder.state.notices == ()


async def test_the_chat_steps_aside_says_so_and_is_back(bench: Bench) -> None:
    chat, folder = await follow(bench, 1_000)
    assert chat.said == ["paused", "back"]
    assert "learning something new" in chat.reason()
    (notice,) = folder.state.notices
    assert notice.startswith("The chat pauses while this run learns: it needs about 2.0 GB")


def test_what_was_measured_counts_more_than_a_guess(bench: Bench, tmp_path: Path) -> None:
    config = make_config({"task": "chat", "name": "shop", "base": str(bench.bases.folder)})
    guessed, measured = RunFolder(tmp_path / "a"), RunFolder(tmp_path / "b")
    guessed.create(config, {"train": []})
    measured.create(config, {"train": []}, replace(Source(), gpu_mb=321.0))
    assert 2_000 < needed_mb(guessed) < 2_010
    assert needed_mb(measured) == 321.0
