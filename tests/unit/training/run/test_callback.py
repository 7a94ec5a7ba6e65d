"""A real ``Trainer`` that speaks through the log of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from chatapp.errors import TrainingError
from chatapp.training.run.callback import callback
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunDiscarded, RunLog
from tests.unit.training.run.runs import a_config


class Line(torch.nn.Module):
    """Learns y = 3x."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.spoil_at = -1
        self.calls = 0

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        self.calls += 1
        loss = ((self.weight * x - labels) ** 2).mean()
        return {"loss": loss * (float("nan") if self.calls == self.spoil_at else 1.0)}


class AtStep(TrainerCallback):  # type: ignore[misc]
    """Does something after a step."""

    def __init__(self, step: int, act: Any) -> None:
        self.step, self.act = step, act

    def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            self.act()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create(a_config(), {"train": []})
    return folder


def a_trainer(folder: RunFolder, model: Line, *more: TrainerCallback, **options: Any) -> Trainer:
    rows = [{"x": torch.tensor(float(n)), "labels": torch.tensor(3.0 * n)} for n in range(1, 5)]
    arguments = TrainingArguments(
        output_dir=str(folder.checkpoints),
        max_steps=20,
        per_device_train_batch_size=2,
        logging_steps=2,
        eval_strategy="steps",
        eval_steps=5,
        save_steps=5,
        learning_rate=0.1,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        include_num_input_tokens_seen="all",
        **options,
    )
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        eval_dataset=rows,
        callbacks=[*more, callback(RunLog(folder))],
    )


def test_figures_and_progress_are_told(folder: RunFolder) -> None:
    a_trainer(folder, Line()).train()
    state = folder.written_state
    assert (state.status, state.step, state.steps, state.phase) == ("running", 20, 20, "Training")
    points = folder.metrics()
    losses = [one.loss for one in points if one.loss is not None]
    assert len(losses) == 10
    assert losses[-1] < losses[0]
    assert [one.step for one in points if one.eval_loss is not None] == [5, 10, 15, 20]
    first = points[0]
    assert first.learning_rate
    assert first.grad_norm
    assert first.memory_mb
    assert first.memory_mb > 10
    seconds = [one.seconds for one in points]
    assert seconds == sorted(seconds)


def test_a_stopped_trainer_returns_and_resumes(folder: RunFolder) -> None:
    a_trainer(folder, Line(), AtStep(7, lambda: folder.ask_to_stop("keep"))).train()
    assert folder.written_state.step == 7
    assert folder.written_state.status == "stopping"
    (folder.path / "stop").unlink()
    checkpoint = RunLog(folder).checkpoint
    assert checkpoint is not None
    a_trainer(folder, Line()).train(resume_from_checkpoint=str(checkpoint))
    assert folder.written_state.step == 20


def test_a_discarded_run_ends_at_once(folder: RunFolder) -> None:
    trainer = a_trainer(folder, Line(), AtStep(3, lambda: folder.ask_to_stop("discard")))
    with pytest.raises(RunDiscarded):
        trainer.train()


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(folder: RunFolder) -> None:
    model = Line()
    model.spoil_at = 3
    with pytest.raises(
        TrainingError, match=r"at step 4: training ran away.*1e-02 instead of 1e-01"
    ):
        a_trainer(folder, model).train()
