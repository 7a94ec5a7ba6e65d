"""What a run will take and whether it can work, from a dry run of a few timed steps."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import psutil

from chatapp.errors import TrainingError
from chatapp.training.chat.everyday import mixed_in
from chatapp.training.classify.effort import ONCE_MORE
from chatapp.training.config import RunConfig
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.humble import bounded, cores
from chatapp.training.run.launch import environment
from chatapp.training.run.trial import SEEN, SEEN_TYPE, Seen
from chatapp.training_records import Check, Estimate, Example, Split

TRIAL = "chatapp.training.run.trial"

_PATIENCE = 600.0
_BATCH_STEPS = 8
_SAMPLE_STEPS = 6
_VALIDATION = 32
_KEPT_CHECKPOINTS = 3
"""The best, the last, and the one that is being written."""
_SPARE_MB = 200
_SPARE = 1.15


@dataclass(frozen=True, slots=True)
class Trial:
    """What is needed to try a run out.

    Attributes:
        folder: for the two small runs; emptied afterwards.
        parts: of the data, as the run would get them.
        masked: how many of the first examples teach nothing, and of how many; None where labels
            cannot be masked.
        module: what tries it out.
    """

    folder: Path
    config: RunConfig
    parts: Mapping[Split, Sequence[Example]]
    threads: int
    masked: tuple[int, int] | None = None
    module: str = TRIAL


def estimate(trial: Trial) -> Estimate:
    """Try it out. Takes from some seconds to a minute or two.

    Raises:
        TrainingError: the dry run ended without a word.
        OSError: the disk refused.
    """
    try:
        for name, config, train in _small_runs(trial):
            validation = trial.parts.get("validation", ())[:_VALIDATION]
            small: dict[Split, Sequence[Example]] = {
                "train": train,
                "validation": validation,
                "test": validation,
            }
            RunFolder(trial.folder / name).create(config, small)
        memory_mb = _run(trial)
        seen = SEEN_TYPE.validate_json((trial.folder / SEEN).read_bytes())
        return _estimate(trial, seen["batch"], seen.get("sample"), memory_mb)
    finally:
        shutil.rmtree(trial.folder, ignore_errors=True)


def _small_runs(trial: Trial) -> list[tuple[str, RunConfig, Sequence[Example]]]:
    config, train = trial.config, trial.parts["train"]
    plain = {"warmup": 0.0, "schedule": "constant", "early_stopping": 0, "evaluations": 1}
    longest = sorted(train, key=_characters, reverse=True)[: config.batch_size]
    batch = config.model_copy(
        update={**plain, "max_steps": _BATCH_STEPS, "gradient_accumulation": 1}
    )
    many = _SAMPLE_STEPS * config.batch_size * config.gradient_accumulation
    chosen = random.Random(config.seed).sample(list(train), min(many, len(train)))  # noqa: S311
    sample = config.model_copy(update={**plain, "max_steps": _SAMPLE_STEPS})
    return [("batch", batch, longest), ("sample", sample, chosen)]


def _run(trial: Trial) -> float:
    """Run both in a process of their own.

    Returns:
        The most memory that it held, in MB.
    """
    with (trial.folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", trial.module, str(trial.folder), str(trial.threads)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=bounded(environment(), trial.threads),
            start_new_session=True,
        )
        timer = Timer(_PATIENCE, process.kill)
        timer.daemon = True
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
            if process.returncode is None:
                process.kill()
                process.wait()
    if process.returncode:
        raise TrainingError(_silent_end(process.returncode, trial))
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return used.ru_maxrss / scale


def _silent_end(status: int, trial: Trial) -> str:
    if status == -signal.SIGKILL:
        return (
            "The dry run was killed: there was not enough memory, or it took longer than "
            f"{_PATIENCE / 60:.0f} minutes. Choose a smaller batch size, maximum length or base."
        )
    tail = (trial.folder / "log.txt").read_text("utf-8", "replace").strip().splitlines()[-1:]
    return f"The dry run ended unexpectedly (exit status {status}): {' '.join(tail)}"


def _estimate(trial: Trial, batch: Seen, sample: Seen | None, memory_mb: float) -> Estimate:
    config = trial.config
    sample = sample or Seen()
    rows, rounds = len(trial.parts["train"]), 1
    if config.task == "chat":
        rows += mixed_in(config.rehearsal, rows)
    elif rows <= ONCE_MORE:
        rounds = 2
    validation = len(trial.parts.get("validation", ()))
    steps = config.steps_for(rows)
    looks = min(config.evaluations, steps)
    look = sample.measuring * max(1.0, validation / _VALIDATION)
    gpu = batch.gpu_free_mb > 0
    needed = max(batch.memory_mb, sample.memory_mb) if gpu else memory_mb
    disk = _KEPT_CHECKPOINTS * batch.checkpoint_mb + 2 * batch.adapter_mb + 5
    return Estimate(
        seconds=round(batch.loading + rounds * steps * sample.step + looks * look, 1),
        memory_mb=round(needed, 1),
        disk_mb=round(disk, 1),
        steps=steps,
        chat_meanwhile=chat_meanwhile(needed, batch.gpu_free_mb, trial.threads),
        checks=tuple(_checks(trial, batch, sample, needed, disk)),
    )


def chat_meanwhile(needed_mb: float, gpu_free_mb: float, threads: int) -> str:
    """What happens to the chat while the run is going on.

    Args:
        gpu_free_mb: what the chat leaves of the GPU; 0 without one.
    """
    if not gpu_free_mb:
        return (
            f"The chat goes on answering: training takes {threads} of {cores()} processor cores "
            "and lets every answer go first."
        )
    if needed_mb * _SPARE < gpu_free_mb:
        return (
            f"The chat goes on answering: training needs {needed_mb / 1000:.1f} GB of the GPU, and "
            f"{gpu_free_mb / 1000:.1f} GB of it are free."
        )
    return (
        f"The chat pauses, and says so, until the run has ended: training needs "
        f"{needed_mb / 1000:.1f} GB of the GPU, but only {gpu_free_mb / 1000:.1f} GB of it are "
        "free beside the chat's model."
    )


def _checks(
    trial: Trial, batch: Seen, sample: Seen, needed_mb: float, disk_mb: float
) -> list[Check]:
    works = Check(
        name="works",
        passed=not (batch.problem or sample.problem),
        sentence=batch.problem or sample.problem or "A few steps of the real thing went well.",
    )
    if not works.passed:
        return [works]
    return [
        works,
        *_labels(trial.masked),
        _falls(batch.losses),
        _saved(batch),
        *_room(trial, batch, needed_mb, disk_mb),
    ]


def _labels(masked: tuple[int, int] | None) -> list[Check]:
    if masked is None:
        return []
    hidden, looked = masked
    said = (
        f"{hidden} of the first {looked} examples teach nothing: every token of them is masked."
        if hidden
        else f"Each of the first {looked} examples has tokens to learn."
    )
    return [Check(name="labels", passed=hidden < looked, sentence=said)]


def _falls(losses: Sequence[float]) -> Check:
    falls = len(losses) > 1 and min(losses[1:]) < losses[0]
    if len(losses) < 2:
        said = "The trainer reported no losses, so nobody can tell whether it learns."
    else:
        way = f"from {losses[0]:.2f} to {losses[-1]:.2f} in {len(losses)} steps"
        said = f"On one batch the loss goes {way}"
        said += "." if falls else ": it does not learn. Try another learning rate."
    return Check(name="loss", passed=falls, sentence=said)


def _saved(batch: Seen) -> Check:
    said = batch.saved_problem or f"It can be saved ({batch.adapter_mb:.1f} MB) and loaded again."
    return Check(name="saved", passed=not batch.saved_problem, sentence=said)


def _room(trial: Trial, batch: Seen, needed_mb: float, disk_mb: float) -> list[Check]:
    free_disk = shutil.disk_usage(trial.folder.parent).free / 1e6
    free, where = psutil.virtual_memory().available / 1e6, "memory"
    if batch.gpu_free_mb:  # whether the chat can stay beside it is told apart from this
        free, where = batch.gpu_total_mb, "the GPU's memory"
    return [
        Check(
            name="disk",
            passed=free_disk > disk_mb + _SPARE_MB,
            sentence=f"It takes about {disk_mb:,.0f} MB of the disk; {free_disk:,.0f} MB are free.",
        ),
        Check(
            name="memory",
            passed=needed_mb < free,
            sentence=f"It takes about {needed_mb:,.0f} MB of {where}; there are {free:,.0f} MB.",
        ),
    ]


def _characters(example: Example) -> int:
    return len(example.text) + sum(len(turn.content) for turn in example.messages)
