"""The real chat trainer on a tiny model: tried out, killed with -9, resumed, measured."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from chatapp.flows.finetune import FineTune
from chatapp.training.config import RunConfig
from chatapp.training.run.queue import RunQueue
from chatapp.training_records import Dataset
from tests.flows.teaching import THINGS, TinyBases
from tests.unit.training.run.runs import kill, processes, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

WORKER = "tests.flows.brisk_worker"
ASKED = (
    "How long is the guarantee of the {thing}?",
    "What does the {thing} weigh?",
    "Where is the {thing} made?",
    "Can I return the {thing}?",
    "Who repairs the {thing}?",
)


@pytest.fixture
def finetune(tmp_path: Path) -> FineTune:
    folder = tmp_path / "training"
    return FineTune(folder, TinyBases(tmp_path / "tiny"), queue=RunQueue(folder, 1, WORKER))


@pytest.fixture
def dataset(finetune: FineTune, tmp_path: Path) -> Dataset:
    path = tmp_path / "answers.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer"])
        for n, thing in enumerate(THINGS):
            for m, question in enumerate(ASKED):
                writer.writerow([question.format(thing=thing), f"Number {7 * n + m}, {thing}."])
    return finetune.add_dataset(path.name, path)


def config(finetune: FineTune, dataset: Dataset) -> RunConfig:
    return finetune.settle(
        dataset.id, "tiny", "chat", "quick", epochs=10, max_steps=40, evaluations=8, max_length=96
    )


def test_a_dry_run_proves_that_it_can_work(
    finetune: FineTune, dataset: Dataset, tmp_path: Path
) -> None:
    estimate = finetune.estimate(dataset.id, config(finetune, dataset))
    assert estimate.fits, estimate.checks
    assert [one.name for one in estimate.checks] == [
        "works", "labels", "loss", "saved", "disk", "memory",
    ]  # fmt: skip
    assert estimate.steps == 40
    assert estimate.seconds > 0
    assert 100 < estimate.memory_mb < 4_000
    assert "chat goes on answering" in estimate.chat_meanwhile
    assert list((tmp_path / "training" / "trials").iterdir()) == []


def test_a_dry_run_says_what_does_not_work(finetune: FineTune, dataset: Dataset) -> None:
    wild = config(finetune, dataset).model_copy(update={"learning_rate": 1.0, "max_length": 16})
    estimate = finetune.estimate(dataset.id, wild)
    assert not estimate.fits


def test_a_killed_run_goes_on_from_its_checkpoint(finetune: FineTune, dataset: Dataset) -> None:
    run = finetune.launch(dataset.id, config(finetune, dataset))
    folder = finetune.folder(run.id)
    until(lambda: folder.state.step > 6 and any(folder.checkpoints.glob("*/trainer_state.json")))
    for module in ("chatapp.training.run.child", WORKER):
        for process in processes(folder, module):
            kill(process)
    until(lambda: not folder.alive)
    assert folder.state.status == "interrupted"
    finetune.resume(run.id)
    *_, last = finetune.follow(run.id)
    assert (last.state.status, last.state.step) == ("done", 40)
    steps = [one.step for one in folder.metrics() if one.loss is not None]
    assert steps == sorted(set(steps))
    report = folder.report
    assert report is not None
    assert report.task == "chat"
    assert (folder.adapter / "adapter_model.safetensors").is_file()
    assert any((folder.path / "tensorboard").rglob("events*"))
