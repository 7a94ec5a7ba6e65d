"""A worker that learns nothing: it counts, writes checkpoints as a trainer does, and fails when
``script.json`` in the run's folder says so. Without torch it is there at once."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatapp.errors import ModelError
from chatapp.training.config import RunConfig
from chatapp.training.run import worker
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training_records import ClassifyReport, LabelScore, Scores

STEPS = 40


def no_memory(config: RunConfig) -> None:
    if config.batch_size > 4:
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        )


def never_memory(_config: RunConfig) -> None:
    raise MemoryError


def disk_full(_config: RunConfig) -> None:
    raise RuntimeError("while saving") from OSError(errno.ENOSPC, "No space left on device")


def model_error(_config: RunConfig) -> None:
    raise ModelError("There is no model at nowhere. Choose another base.")


def surprise(_config: RunConfig) -> None:
    raise ZeroDivisionError("division by zero")


def vanish(_config: RunConfig) -> None:
    os._exit(3)


FAILURES: dict[str, Callable[[RunConfig], None]] = {
    one.__name__: one for one in (no_memory, never_memory, disk_full, model_error, surprise, vanish)
}


def script_of(folder: Path) -> dict[str, Any]:
    for written in (folder / "script.json", folder.parent.parent / "script.json"):
        if written.exists():
            return json.loads(written.read_text())
    return {}


def train(folder: RunFolder, config: RunConfig, log: RunLog, /) -> None:
    script = script_of(folder.path)
    print("CHATAPP settings seen:", [key for key in os.environ if key.startswith("CHATAPP_")])
    step = total = 0
    if log.checkpoint:
        state = json.loads((log.checkpoint / "trainer_state.json").read_text())
        step, total = state["step"], state["total"]
    steps = config.max_steps or STEPS
    log.phase("Training")
    log.progress(step, steps)
    while step < steps and log.wanted_stop != "keep":
        step, total = step + 1, total + step + 1
        time.sleep(script.get("pause", 0.0))
        if step == script.get("at"):
            FAILURES[script["failure"]](config)
        log.progress(step, steps, step / 10)
        log.metrics(step, loss=1 / step)
        if step % 5 == 0:
            save(folder.checkpoints / f"checkpoint-{step}", step, total)
    log.phase("Measuring on the test part")
    folder.adapter.mkdir(exist_ok=True)
    (folder.adapter / "total").write_text(str(total))
    if script.get("report"):
        folder.write_report(a_report())


def a_report() -> ClassifyReport:
    row = LabelScore(label="refund", precision=1, recall=1, f1=1, support=1)
    scores = Scores(name="Baseline", accuracy=0.5, macro_f1=0.5, seconds=1)
    return ClassifyReport(
        sentence="It sorts 9 of 10 texts right; the baseline 5.",
        winner="adapter",
        labels=("refund",),
        rows={"train": 8, "validation": 1, "test": 1},
        accuracy=0.9,
        per_label=(row,),
        macro=row,
        weighted=row,
        confusion=((1,),),
        predictions=(),
        calibration=(),
        calibration_error=0.0,
        curve=(),
        baseline=scores,
        fine_tuned=scores,
    )


def save(path: Path, step: int, total: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    (path / "optimizer.bin.part").write_bytes(b"0" * 4096)
    (path / "trainer_state.json").write_text(json.dumps({"step": step, "total": total}))


if __name__ == "__main__":
    # A test does not wait until nobody else wants the processor.
    worker.main(sys.argv[1:], train, humble=script_of(Path(sys.argv[1])).get("humble", False))
