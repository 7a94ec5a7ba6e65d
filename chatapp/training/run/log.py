"""What a trainer tells while it works; all of it ends up in the run's folder at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from chatapp.training.run.checkpoints import newest_whole
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import MetricPoint, RunState, RunStatus, SampleAnswer

_EVERY_SECONDS = 0.5


class RunDiscarded(Exception):
    """Somebody wants the run gone; raised in the middle of the work, and caught by the child."""


class RunLog:
    """The voice of one run.

    It goes on where the log of an earlier process of the same run ended: notices stay, and the
    seconds count on.

    Args:
        clock: seconds that never go back.
        writes: False in the processes of further GPUs, which have nothing to tell.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        clock: Callable[[], float] = time.monotonic,
        writes: bool = True,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._writes = writes
        self._state = folder.written_state
        # The state is written less often than the figures.
        told = [self._state.seconds, *(one.seconds for one in folder.metrics())]
        self._earlier = max(told)
        self._began = clock()
        self._due = 0.0
        self._paced: tuple[float, int] | None = None

    @property
    def seconds(self) -> float:
        """How long the run has been working, over all of its processes."""
        return self._earlier + self._clock() - self._began

    @property
    def checkpoint(self) -> Path | None:
        """What the trainer has to go on from; None at the beginning."""
        return newest_whole(self._folder.checkpoints)

    @property
    def wanted_stop(self) -> Literal["keep", "discard"] | None:
        """What somebody asked for; with ``keep`` training ends soon, and the report is written."""
        return self._folder.wanted_stop

    def begin(self) -> None:
        """The process is there."""
        now = datetime.now(UTC)
        self._state = replace(
            self._state,
            status="starting",
            phase="Starting",
            seconds_left=None,
            started_at=self._state.started_at or now,
            ended_at=None,
            reason="",
        )
        self._write()

    def phase(self, text: str) -> None:
        """Say what is being done now, e.g. ``Measuring on the test part``.

        Raises:
            RunDiscarded: somebody wants the run gone.
        """
        self._hear()
        if text != self._state.phase:
            self._state = replace(self._state, phase=text)
            self._write()

    def progress(self, step: int, steps: int, epoch: float = 0.0) -> None:
        """So many steps of so many are done.

        Raises:
            RunDiscarded: somebody wants the run gone.
        """
        self._hear()
        self._state = replace(
            self._state,
            step=step,
            steps=steps,
            epoch=epoch,
            seconds_left=self._left(step, steps),
        )
        if self._clock() >= self._due or step >= steps:
            self._write()

    def metrics(
        self,
        step: int,
        *,
        epoch: float | None = None,
        loss: float | None = None,
        eval_loss: float | None = None,
        eval_accuracy: float | None = None,
        learning_rate: float | None = None,
        grad_norm: float | None = None,
        tokens_per_second: float | None = None,
        memory_mb: float | None = None,
    ) -> None:
        """Figures of a step; the time is added."""
        point = MetricPoint(
            step=step,
            epoch=self._state.epoch if epoch is None else epoch,
            seconds=round(self.seconds, 3),
            loss=loss,
            eval_loss=eval_loss,
            eval_accuracy=eval_accuracy,
            learning_rate=learning_rate,
            grad_norm=grad_norm,
            tokens_per_second=tokens_per_second,
            memory_mb=memory_mb,
        )
        if self._writes:
            self._folder.add_metrics([point])

    def sample(self, step: int, question: str, answer: str, expected: str) -> None:
        """What the model now says to a fixed question."""
        if self._writes:
            self._folder.add_samples(
                [SampleAnswer(step=step, question=question, answer=answer, expected=expected)]
            )

    def notice(self, text: str) -> None:
        """A plain sentence that whoever looks at the run should read; said once."""
        if text not in self._state.notices:
            self._state = replace(self._state, notices=(*self._state.notices, text))
            self._write()

    def end(self, status: RunStatus, reason: str = "") -> None:
        """The last word of this process."""
        self._state = replace(
            self._state,
            status=status,
            phase="",
            seconds_left=None,
            ended_at=datetime.now(UTC),
            reason=reason,
        )
        self._write()

    def _hear(self) -> None:
        wanted = self.wanted_stop
        if wanted == "discard":
            raise RunDiscarded
        status: RunStatus = "stopping" if wanted else "running"
        if status != self._state.status:
            self._state = replace(self._state, status=status)
            self._due = 0.0

    def _left(self, step: int, steps: int) -> float | None:
        """From the pace of this process alone: another one may have been slower."""
        if self._paced is None or step < self._paced[1]:
            self._paced = (self._clock(), step)
        since, first = self._paced
        if step <= first:
            return None
        return max(0.0, (self._clock() - since) / (step - first) * (steps - step))

    def _write(self) -> None:
        self._state = replace(self._state, seconds=round(self.seconds, 3))
        self._due = self._clock() + _EVERY_SECONDS
        if self._writes:
            self._folder.write_state(self._state)

    @property
    def state(self) -> RunState:
        """As it was told last."""
        return self._state
