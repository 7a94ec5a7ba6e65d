"""Lets a transformers ``Trainer`` speak through a run's log, and hears the wish to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from chatapp.errors import TrainingError
from chatapp.training.run.log import RunDiscarded, RunLog

_MB = 1024**2


def callback(log: RunLog) -> TrainerCallback:
    """What to give to a ``Trainer`` of transformers or TRL as one of its callbacks."""
    return _Callback(log)


class _Callback(TrainerCallback):  # type: ignore[misc]
    """Figures come from the trainer; the speed is measured here, with pauses left out.

    A trainer tells the tokens it has read as ``num_tokens`` (TRL) or ``num_input_tokens_seen``
    (``include_num_input_tokens_seen="non_padding"``).
    """

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._mark = 0.0
        self._busy = 0.0
        self._tokens = 0.0
        self._measuring = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """The trainer would otherwise hide a loss that is no number behind an average."""
        args.logging_nan_inf_filter = False
        self._tokens = float(state.num_input_tokens_seen)
        self._say(state, state.global_step)
        self._mark = time.monotonic()

    def on_step_end(
        self, _args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        now = time.monotonic()
        self._busy += now - self._mark
        self._mark = now
        self._say(state, state.global_step)
        if _agreed(self._log.wanted_stop == "keep"):
            control.should_training_stop = True

    def on_prediction_step(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        if not self._measuring and state.global_step:
            self._measuring = True
            if state.is_world_process_zero:
                self._log.phase("Measuring on the validation part")

    def on_evaluate(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        self._measuring = False
        self._say(state, state.global_step)
        self._mark = time.monotonic()

    def on_save(
        self, _args: TrainingArguments, _state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        self._mark = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        _control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: object,
    ) -> None:
        logs = logs or {}
        if "loss" not in logs and "eval_loss" not in logs:
            return
        _refuse_no_number(logs, state.global_step, args.learning_rate)
        if state.is_world_process_zero:
            self._log.metrics(
                state.global_step,
                epoch=state.epoch,
                loss=_number(logs, "loss"),
                eval_loss=_number(logs, "eval_loss"),
                eval_accuracy=_number(logs, "eval_accuracy", "eval_mean_token_accuracy"),
                learning_rate=_number(logs, "learning_rate"),
                grad_norm=_number(logs, "grad_norm"),
                tokens_per_second=self._speed(logs) if "loss" in logs else None,
                memory_mb=memory_mb(),
            )

    def _say(self, state: TrainerState, step: int) -> None:
        """Further GPUs only hear."""
        if _agreed(self._log.wanted_stop == "discard"):
            raise RunDiscarded
        if state.is_world_process_zero:
            self._log.phase("Training")
            self._log.progress(step, state.max_steps, state.epoch or 0.0)

    def _speed(self, logs: Mapping[str, float]) -> float | None:
        """Tokens a second since the last figures."""
        tokens = _number(logs, "num_tokens", "num_input_tokens_seen")
        if tokens is None or not self._busy:
            return None
        speed = (tokens - self._tokens) / self._busy
        self._tokens, self._busy = tokens, 0.0
        return round(speed, 1) if speed >= 0 else None


def memory_mb() -> float:
    """What this process holds: of the GPU where there is one, else of the machine."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / _MB, 1)
    return round(psutil.Process().memory_info().rss / _MB, 1)


def _refuse_no_number(logs: Mapping[str, float], step: int, learning_rate: float) -> None:
    """
    Raises:
        TrainingError: the loss is infinite or not a number; nothing after that is worth keeping.
    """
    for name in ("loss", "eval_loss"):
        value = logs.get(name)
        if value is not None and not math.isfinite(value):
            raise TrainingError(
                f"The loss stopped being a number at step {step}: training ran away. Start again "
                f"with a lower learning rate, e.g. {learning_rate / 10:.0e} instead of "
                f"{learning_rate:.0e}, or with precision float32."
            )


def _number(logs: Mapping[str, float], *names: str) -> float | None:
    """The first of these that is there; gradients of the first float16 steps may be infinite."""
    for name in names:
        value = logs.get(name)
        if value is not None:
            return float(value) if math.isfinite(value) else None
    return None


def _agreed(wish: bool) -> bool:
    """What the first process heard, in all processes of a run on several GPUs at once."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return wish
    said = [wish]
    torch.distributed.broadcast_object_list(said)
    return said[0]
