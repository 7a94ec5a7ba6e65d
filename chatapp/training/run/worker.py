"""The process that learns: ``python -m chatapp.training.run.worker FOLDER THREADS``.

Started by ``child``; on several GPUs once for each, by ``accelerate launch``. It writes down how
the run ended, whatever happens; only a kill leaves that to others.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol

from chatapp.training.config import RunConfig
from chatapp.training.run import failures
from chatapp.training.run.checkpoints import is_whole, step_of
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.humble import step_back
from chatapp.training.run.log import RunDiscarded, RunLog
from chatapp.training_records import UNFINISHED, Task

_RESERVE_BYTES = 256 * 1024


class Train(Protocol):
    """What learns: ``training.chat.train`` or ``training.classify.train``."""

    def __call__(self, folder: RunFolder, config: RunConfig, log: RunLog, /) -> object:
        """Learn, and leave ``folder.adapter`` and the report."""


class _Terminated(BaseException):
    """Somebody, or the machine that shuts down, asked this process to end."""


def trainer(task: Task) -> Train:
    """What learns this task; it brings torch with it."""
    train: Train = import_module(f"chatapp.training.{task}").train
    return train


def work(folder: RunFolder, train: Train, *, first: bool = True) -> None:
    """Do the run and write down how it ends.

    Args:
        first: False in the processes of further GPUs, which tell nothing but their failure.
    """
    log = RunLog(folder, writes=first)
    try:
        with _reserve(folder) if first else contextlib.nullcontext():
            log.begin()
            if first:
                _rewind(folder, log)
            train(folder, folder.config, log)
    except RunDiscarded:
        log.end("discarded")
    except _Terminated:
        if folder.written_state.status in UNFINISHED:
            log.end(
                "interrupted",
                "Its process was asked to end, as when the machine is switched off. Resume it "
                "from its last checkpoint, or discard it.",
            )
    except Exception as error:  # noqa: BLE001  the folder is where it is told
        _fail(folder, log if first else RunLog(folder), error)
    else:
        cut_short = log.wanted_stop == "keep" and log.state.step < log.state.steps
        log.end("stopped" if cut_short else "done")


def _fail(folder: RunFolder, log: RunLog, error: Exception) -> None:
    if failures.is_out_of_memory(error):
        logging.getLogger(__name__).error("Out of memory", exc_info=error)
        folder.out_of_memory.touch()  # the child decides what becomes of it
    elif failures.is_disk_full(error, folder.path):
        logging.getLogger(__name__).error("The disk is full", exc_info=error)
        for checkpoint in folder.checkpoints.glob("checkpoint-*"):
            if not is_whole(checkpoint):
                shutil.rmtree(checkpoint, ignore_errors=True)
        log.end("failed", failures.disk_full(folder.path, log.state.step))
    else:
        log.end("failed", failures.sentence(error))


def _rewind(folder: RunFolder, log: RunLog) -> None:
    """Steps after the checkpoint are done once more, and so are their figures."""
    whole = log.checkpoint
    for checkpoint in folder.checkpoints.glob("checkpoint-*"):
        if not is_whole(checkpoint):
            shutil.rmtree(checkpoint, ignore_errors=True)
    folder.rewind(step_of(whole) if whole else -1)


@contextlib.contextmanager
def _reserve(folder: RunFolder) -> Iterator[None]:
    """Room for the last words on a disk that became full."""
    path = folder.path / "reserve"
    try:
        path.write_bytes(os.urandom(_RESERVE_BYTES))
        yield
    finally:
        path.unlink(missing_ok=True)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def main(arguments: list[str], train: Train | None = None, *, humble: bool = True) -> None:
    """Learn in this process; ``train`` is by default what the run's task asks for.

    Args:
        humble: whether everybody else goes first.
    """
    folder, threads = RunFolder(Path(arguments[0])), int(arguments[1])
    logging.basicConfig(
        level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    signal.signal(signal.SIGTERM, _terminate)
    if humble:
        step_back()
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder.path / "tensorboard")

    def loaded(folder: RunFolder, config: RunConfig, log: RunLog, /) -> object:
        # Loading takes seconds, and may fail as well.
        import torch

        torch.set_num_threads(threads)
        return trainer(config.task)(folder, config, log)

    work(folder, train or loaded, first=os.environ.get("RANK", "0") == "0")


if __name__ == "__main__":
    main(sys.argv[1:])
