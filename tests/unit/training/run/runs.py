"""Runs with the scripted worker, and ways to wait for what becomes of them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from chatapp.training.config import RunConfig, make_config
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.queue import RunQueue
from chatapp.training_records import Example, RunState

WORKER = "tests.unit.training.run.scripted_worker"


def a_config(**values: object) -> RunConfig:
    return make_config({"task": "classify", "name": "shop", **values})


def a_queue(folder: Path) -> RunQueue:
    return RunQueue(folder / "training", threads=1, worker=WORKER)


def a_run(queue: RunQueue, config: RunConfig | None = None, **script: object) -> RunFolder:
    folder = queue.new()
    folder.create(config or a_config(), {"train": [Example(text="hello", label="greeting")]})
    (folder.path / "script.json").write_text(json.dumps(script))
    return folder


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def ended(folder: RunFolder) -> RunState:
    """Wait for the end of a started run."""
    until(lambda: not folder.alive)
    return folder.state


def processes(folder: RunFolder, module: str) -> list[psutil.Process]:
    """Those that run this module for this run."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if (
            str(folder.path) in line
            and module in line
            and line[1:2] == ["-m"]
            and line[2] == module
        ):
            found.append(process)
    return found


def kill(process: psutil.Process) -> None:
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
