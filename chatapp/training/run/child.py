"""Sees one run through: ``python -m chatapp.training.run.child FOLDER --threads N``.

It holds the run while it lives, has ``worker`` do the learning in a process of its own, and says
what that one could not say itself: that it was killed. A run that does not fit into memory is
tried once more with half the batch. Everything that is printed goes to the run's log, which is a
file: nobody has to listen.

Locks that its starter holds already are handed to it by ``--held``, and by it to the worker: as
long as one of the two lives, the run is alive.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from chatapp.training.config import RunConfig
from chatapp.training.run import failures
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.humble import bounded
from chatapp.training.run.log import RunLog
from chatapp.training_records import UNFINISHED

WORKER = "chatapp.training.run.worker"


def see_through(
    folder: RunFolder, threads: int, held: Sequence[int] = (), worker: str = WORKER
) -> None:
    """Run the worker until it has ended with a word, or there is nothing left to try."""
    if not _run(folder, threads, held, worker):
        return
    before = folder.config.batch_size
    smaller = _smaller(folder.config)
    if smaller is None:
        RunLog(folder).end("failed", failures.out_of_memory(before))
        return
    folder.write_config(smaller)
    RunLog(folder).notice(
        f"There was not enough memory for {before} examples at once, so it goes on with "
        f"{smaller.batch_size} and adds up twice as many batches before each step."
    )
    if _run(folder, threads, held, worker):
        RunLog(folder).end("failed", failures.out_of_memory(smaller.batch_size))


def _run(folder: RunFolder, threads: int, held: Sequence[int], module: str) -> bool:
    """One attempt.

    Returns:
        Whether it ended for lack of memory.
    """
    folder.out_of_memory.unlink(missing_ok=True)
    before = _killed_for_memory()
    worker = subprocess.Popen(
        [*_launcher(), "-m", module, str(folder.path), str(threads)],
        stdin=subprocess.DEVNULL,
        env=bounded(dict(os.environ), threads),
        pass_fds=held,
    )
    signal.signal(signal.SIGTERM, lambda *_: worker.terminate())
    status = worker.wait()
    if folder.out_of_memory.exists():
        return True
    if folder.written_state.status not in UNFINISHED:
        return False
    if status == -signal.SIGKILL and _killed_for_memory() > before:
        return True
    RunLog(folder).end("interrupted", _death(status))
    return False


def _launcher() -> list[str]:
    """How to start Python: once for each GPU where there are several."""
    gpus = _gpus()
    if gpus < 2:
        return [sys.executable]
    options = ["--multi_gpu", "--num_processes", str(gpus), "--num_machines", "1"]
    return [
        *(sys.executable, "-m", "accelerate.commands.launch", *options),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),
    ]


def _gpus() -> int:
    from chatapp.engine.choice import has_cuda

    if not has_cuda():
        return 0
    import torch

    return torch.cuda.device_count()


def _smaller(config: RunConfig) -> RunConfig | None:
    """Half the batch, twice as many of them added up; None where there is nothing to halve."""
    if config.batch_size < 2:
        return None
    return config.model_copy(
        update={
            "batch_size": config.batch_size // 2,
            "gradient_accumulation": config.gradient_accumulation * 2,
        }
    )


def _killed_for_memory() -> int:
    """How many processes Linux has killed because memory ran out, in this container or at all."""
    for path in ("/sys/fs/cgroup/memory.events", "/proc/vmstat"):
        try:
            words = Path(path).read_text().split()
        except OSError:
            continue
        if "oom_kill" in words:
            return int(words[words.index("oom_kill") + 1])
    return 0


def _death(status: int) -> str:
    how = f"by signal {-status}" if status < 0 else f"with exit status {status}"
    return (
        f"The process that learns was ended from outside, {how}. Resume the run from its last "
        "checkpoint, or discard it."
    )


def main(arguments: Sequence[str]) -> int:
    """See the run through that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--held", type=int, nargs="*", default=())
    parser.add_argument("--worker", default=WORKER)
    given = parser.parse_args(arguments)
    folder = RunFolder(given.folder)
    with nullcontext() if given.held else folder.held():
        see_through(folder, given.threads, given.held, given.worker)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
