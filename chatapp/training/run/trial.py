"""A dry run: ``python -m chatapp.training.run.trial FOLDER THREADS``.

The folder holds two small runs: ``batch`` learns the longest examples over and over, which must
make the loss fall and shows how much memory it takes; ``sample`` learns ordinary ones, which shows
how long a step takes. Both go through the very code of a real run, without its report. What was
seen is written to ``seen.json``.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from pydantic import TypeAdapter

from chatapp.training.config import RunConfig
from chatapp.training.run import failures, lines
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.humble import step_back
from chatapp.training.run.log import RunLog

SEEN = "seen.json"
_NICENESS = 5
"""Somebody waits for it."""
_MEASURING = "Measuring"


@dataclass
class Seen:
    """What one of the two runs showed.

    Attributes:
        loading: seconds until the first step began.
        step: seconds of a step; the first one, which warms up, is left out. 0 if none was done.
        measuring: seconds that one look at the validation part took; 0 if there was none.
        losses: of the steps.
        gpu_free_mb, gpu_total_mb: 0 without one.
        adapter_mb, checkpoint_mb: on the disk.
        saved_problem: why what was saved cannot be used, in a sentence; empty otherwise.
        problem: why it failed, in a sentence; empty otherwise.
    """

    loading: float = 0.0
    step: float = 0.0
    measuring: float = 0.0
    losses: list[float] = field(default_factory=list)
    memory_mb: float = 0.0
    gpu_free_mb: float = 0.0
    gpu_total_mb: float = 0.0
    adapter_mb: float = 0.0
    checkpoint_mb: float = 0.0
    saved_problem: str = ""
    problem: str = ""


SEEN_TYPE = TypeAdapter(dict[str, Seen])


class _Stopwatch(RunLog):
    """Notes when each step ended, and how long was measured in between."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder)
        self._start = self._now = time.monotonic()
        self.seen = Seen()
        self._steps: list[float] = []
        self._measured_since: float | None = None

    def phase(self, text: str) -> None:
        super().phase(text)
        now = time.monotonic()
        if text.startswith(_MEASURING):
            self._measured_since = self._measured_since or now
        elif self._measured_since is not None:
            self.seen.measuring += now - self._measured_since
            self._now += now - self._measured_since
            self._measured_since = None

    def progress(self, step: int, steps: int, epoch: float = 0.0) -> None:
        super().progress(step, steps, epoch)
        now = time.monotonic()
        if step == 0:
            self.seen.loading = now - self._start
        elif not self._steps or len(self._steps) < step:
            self._steps.append(now - self._now)
            rest = self._steps[1:] or self._steps
            self.seen.step = sum(rest) / len(rest)
        self._now = now

    def metrics(self, step: int, **figures: float | None) -> None:
        super().metrics(step, **figures)
        if (loss := figures.get("loss")) is not None:
            self.seen.losses.append(loss)
        self.seen.memory_mb = max(self.seen.memory_mb, figures.get("memory_mb") or 0.0)


def try_out(folder: RunFolder) -> Seen:
    """Do one of the two runs."""
    watch = _Stopwatch(folder)
    config = folder.config
    try:
        watch.begin()
        import_module(f"chatapp.training.{config.task}").train(folder, config, watch, report=False)
        watch.seen.adapter_mb = _size_mb(folder.adapter)
        watch.seen.checkpoint_mb = max(map(_size_mb, folder.checkpoints.glob("*")), default=0.0)
        watch.seen.saved_problem = _saved_problem(folder, config)
    except Exception as error:  # noqa: BLE001  whoever asked gets the sentence
        watch.seen.problem = _problem(error, folder, config)
        watch.end("failed", watch.seen.problem)
    else:
        watch.end("done")
    return watch.seen


def _problem(error: Exception, folder: RunFolder, config: RunConfig) -> str:
    if failures.is_out_of_memory(error):
        return failures.out_of_memory(config.batch_size)
    if failures.is_disk_full(error, folder.path):
        return failures.disk_full(folder.path, 0)
    return failures.sentence(error)


def _saved_problem(folder: RunFolder, config: RunConfig) -> str:
    """What is wrong with what was saved; empty if it can be loaded and used."""
    try:
        if config.task == "classify":
            load = import_module("chatapp.training.classify").load_classifier
            load(folder.adapter).classify([folder.examples("train")[0].text])
        else:
            from peft import PeftConfig, load_peft_weights

            PeftConfig.from_pretrained(str(folder.adapter))
            weights = load_peft_weights(str(folder.adapter), device="cpu")
            if not any(bool(one.abs().sum() > 0) for one in weights.values()):
                return "What was saved holds nothing but zeros."
    except Exception as error:  # noqa: BLE001  this is the check
        return failures.sentence(error)
    return ""


def _size_mb(path: Path) -> float:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) / 1e6


def _gpu_mb() -> tuple[float, float]:
    """What is free of the GPU and what there is, before anything is loaded; 0 without one."""
    import torch

    if not torch.cuda.is_available():
        return 0.0, 0.0
    free, total = torch.cuda.mem_get_info()
    return free / 1e6, total / 1e6


def main(arguments: list[str]) -> None:
    """Do both runs in this process, and write down what was seen."""
    path, threads = Path(arguments[0]), int(arguments[1])
    logging.basicConfig(level="INFO", stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    step_back(_NICENESS)
    import torch

    torch.set_num_threads(threads)
    free, total = _gpu_mb()
    seen = {}
    for name in ("batch", "sample"):
        seen[name] = try_out(RunFolder(path / name))
        seen[name].gpu_free_mb, seen[name].gpu_total_mb = free, total
        if seen[name].problem:
            break
    lines.replace(path / SEEN, json.dumps(SEEN_TYPE.dump_python(seen)).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
