"""Runs of the chat task with a model of two small layers, in the test's own process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chatapp.records import ChatMessage
from chatapp.training.chat import train
from chatapp.training.config import RunConfig, make_config
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training_records import ChatReport, Example, Split

ANSWER = "In three days."
QUESTIONS = (
    "When does the parcel arrive?",
    "How long does the delivery take?",
    "When will my order be here?",
    "Delivery time?",
)


def asked(question: str, answer: str = ANSWER) -> Example:
    return Example(messages=(ChatMessage("user", question), ChatMessage("assistant", answer)))


def a_config(base: Path, **values: object) -> RunConfig:
    """Small and eager: a few dozen steps of a large learning rate."""
    small = {"max_length": 160, "batch_size": 4, "rank": 8, "alpha": 16, "dropout": 0.0}
    small |= {"rehearsal": 0.0}
    eager = {"learning_rate": 0.02, "epochs": 40, "max_steps": 40, "evaluations": 4}
    return make_config(
        {"task": "chat", "name": "shop", "base": str(base), **small, **eager, **values}
    )


def a_run(
    path: Path, config: RunConfig, parts: dict[Split, Sequence[Example]] | None = None
) -> RunFolder:
    folder = RunFolder(path)
    every = [asked(question) for question in QUESTIONS]
    folder.create(
        config, parts or {"train": every, "validation": every[:2], "test": [asked("Arrival?")]}
    )
    return folder


def learn(folder: RunFolder, log: RunLog | None = None, *, report: bool = True) -> ChatReport:
    """Train to the end; with ``report=False`` nothing comes back."""
    return train(folder, folder.config, log or RunLog(folder), report=report)  # type: ignore[return-value]
