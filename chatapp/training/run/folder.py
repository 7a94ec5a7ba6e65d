"""The folder of a run, which is the whole contract between its process and everybody else.

    config.yaml           RunConfig
    data/train.jsonl      Example, one a line; likewise validation.jsonl and test.jsonl
    state.json            RunState, replaced as a whole
    metrics.jsonl         MetricPoint, one a line
    samples.jsonl         SampleAnswer, one a line
    log.txt               whatever the process and its libraries print
    data/source.json      Source: where the data came from
    lock                  held (flock) by the process while it lives
    stop                  asks it to end: ``keep`` or ``discard``
    checkpoints/          of the trainer, to resume from
    tensorboard/          event files
    adapter/              what was learned: a PEFT folder, or a classifier's
    report.json           Report
    registered            the name of the adapter that was made of it

The process writes; the page, the server and the command line read, and may write ``stop``. A torn
last line of a ``.jsonl`` file is not there yet.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from chatapp.training.config import RunConfig, read_config
from chatapp.training.run import lines, locks
from chatapp.training_records import (
    UNFINISHED,
    Example,
    MetricPoint,
    Report,
    RunState,
    SampleAnswer,
    Split,
)

_EXAMPLE = TypeAdapter(Example)
_STATE = TypeAdapter(RunState)
_POINT = TypeAdapter(MetricPoint)
_SAMPLE = TypeAdapter(SampleAnswer)
_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a run's data came from, and what was asked for.

    Attributes:
        name, dataset: of the file; the id is empty where it was not uploaded.
        hash: SHA-256 of the examples that are learned from.
        base: as it was asked for, e.g. ``auto``; the config has what that came to.
        gpu_mb: what a dry run took of the GPU; 0 where there was none.
    """

    name: str = ""
    dataset: str = ""
    hash: str = ""
    base: str = "auto"
    gpu_mb: float = 0.0


_SOURCE = TypeAdapter(Source)


class RunFolder:
    """One run on disk; ``id`` is the folder's name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name

    @property
    def adapter(self) -> Path:
        """Where what was learned is put, whole or not at all."""
        return self.path / "adapter"

    @property
    def checkpoints(self) -> Path:
        """Where the trainer puts its checkpoints: its ``output_dir``."""
        return self.path / "checkpoints"

    @property
    def lock(self) -> Path:
        """Held while a process works on the run."""
        return self.path / "lock"

    @property
    def out_of_memory(self) -> Path:
        """There when the process that learns ended for lack of memory."""
        return self.path / "out-of-memory"

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.path / "log.txt"

    @property
    def config(self) -> RunConfig:
        """The settings.

        Raises:
            InvalidRequest: the file was tampered with.
        """
        return read_config((self.path / "config.yaml").read_text(encoding="utf-8"))

    @property
    def state(self) -> RunState:
        """How far it is, with a process that is gone told from one that lives."""
        state = self.written_state
        if state.status in UNFINISHED and state.status != "queued" and not self.alive:
            # It may have ended between the two looks.
            state = self.written_state
            if state.status in UNFINISHED and state.status != "queued":
                return replace(
                    state,
                    status="interrupted",
                    reason=state.reason
                    or "Its process ended without a word: it was killed, or the machine was "
                    "switched off. Resume it from its last checkpoint, or discard it.",
                )
        return state

    @property
    def written_state(self) -> RunState:
        """``state.json`` as it stands."""
        return _STATE.validate_json((self.path / "state.json").read_bytes())

    @property
    def alive(self) -> bool:
        """Whether a process holds the run."""
        return locks.is_held(self.lock)

    @property
    def wanted_stop(self) -> Literal["keep", "discard"] | None:
        """What somebody asked the process to do."""
        try:
            said = (self.path / "stop").read_text()
        except OSError:
            return None
        return "discard" if said == "discard" else "keep"

    @property
    def report(self) -> Report | None:
        """How good it is; None before it was measured."""
        try:
            return _REPORT.validate_json((self.path / "report.json").read_bytes())
        except OSError:
            return None

    @property
    def source(self) -> Source:
        """Where its data came from."""
        try:
            return _SOURCE.validate_json((self.path / "data" / "source.json").read_bytes())
        except OSError:
            return Source()

    def create(
        self,
        config: RunConfig,
        parts: dict[Split, Sequence[Example]],
        source: Source | None = None,
    ) -> None:
        """Make the folder, with ``queued`` as its state, which makes it a run.

        Raises:
            OSError: the disk refused; nothing is left of it.
        """
        data = self.path / "data"
        try:
            data.mkdir(parents=True)
            lines.replace(data / "source.json", _SOURCE.dump_json(source or Source()))
            self.write_config(config)
            for name, examples in parts.items():
                with (data / f"{name}.jsonl").open("wb") as file:
                    file.writelines(_EXAMPLE.dump_json(one) + b"\n" for one in examples)
            self.write_state(RunState(status="queued"))
        except OSError:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def queue(self) -> None:
        """Let it begin, or go on from its last checkpoint, once it is its turn."""
        for name in ("stop", "registered"):
            (self.path / name).unlink(missing_ok=True)
        self.write_state(
            replace(self.written_state, status="queued", phase="", ended_at=None, reason="")
        )

    def examples(self, part: Split) -> list[Example]:
        """A part of the data."""
        return list(lines.read(self.path / "data" / f"{part}.jsonl", _EXAMPLE))

    def metrics(self) -> list[MetricPoint]:
        """All points so far, oldest first."""
        return list(lines.read(self.path / "metrics.jsonl", _POINT))

    def samples(self) -> list[SampleAnswer]:
        """All sample answers so far, oldest first."""
        return list(lines.read(self.path / "samples.jsonl", _SAMPLE))

    def log_tail(self, count: int = 200) -> str:
        """The end of the log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 400 * count))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-count:])

    def ask_to_stop(self, what: Literal["keep", "discard"]) -> None:
        """Ask the process to end soon, with the best so far kept or everything dropped."""
        lines.replace(self.path / "stop", what.encode())

    # What follows is for the process that holds the run.

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run; it is let go of by itself when this process dies.

        Raises:
            BlockingIOError: another process holds it.
        """
        handle = locks.take(self.lock)
        if handle is None:
            raise BlockingIOError(f"{self.path} is held by another process")
        try:
            yield
        finally:
            os.close(handle)

    def write_config(self, config: RunConfig) -> None:
        """Replace the settings."""
        lines.replace(self.path / "config.yaml", config.as_yaml().encode())

    def write_state(self, state: RunState) -> None:
        """Replace the state."""
        lines.replace(self.path / "state.json", _STATE.dump_json(state))

    def add_metrics(self, points: Iterable[MetricPoint]) -> None:
        """Append points."""
        lines.append(self.path / "metrics.jsonl", (_POINT.dump_json(one) for one in points))

    def add_samples(self, samples: Iterable[SampleAnswer]) -> None:
        """Append sample answers."""
        lines.append(self.path / "samples.jsonl", (_SAMPLE.dump_json(one) for one in samples))

    def rewind(self, step: int) -> None:
        """Forget what was said after a step, which will be done once more."""
        if any(one.step > step for one in self.metrics()):
            kept = [_POINT.dump_json(one) for one in self.metrics() if one.step <= step]
            lines.replace(self.path / "metrics.jsonl", b"".join(line + b"\n" for line in kept))
        if any(one.step > step for one in self.samples()):
            said = [_SAMPLE.dump_json(one) for one in self.samples() if one.step <= step]
            lines.replace(self.path / "samples.jsonl", b"".join(line + b"\n" for line in said))

    def write_report(self, report: Report) -> None:
        """Keep the report."""
        lines.replace(self.path / "report.json", _REPORT.dump_json(report))
