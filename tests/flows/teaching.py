"""Teaching with a scripted worker, a tiny tokenizer and a registry that remembers."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from chatapp.errors import TrainingError
from chatapp.flows.finetune import FineTune
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.queue import RunQueue
from chatapp.training_records import Adapter, Example, Task
from tests.tiny_models import tiny_hf
from tests.unit.training.run.runs import WORKER

LABELS = {
    "refund": "I want my money back for order {n}, the {thing} is broken",
    "delivery": "When does parcel {n} with the {thing} arrive at my house?",
    "account": "How do I change the password of account {n} for the {thing} shop?",
}
THINGS = ("lamp", "kettle", "tent", "stove", "chair", "jacket", "mirror", "bicycle", "sofa", "rug")


class TinyBases:
    """Every base is one tiny model."""

    def __init__(self, folder: Path) -> None:
        self.folder = tiny_hf(folder)
        self.asked: list[tuple[Task, str, Mapping[str, float], int]] = []

    def tokenizer(self, base: str) -> Path:
        return self.folder

    def learner(self, task: Task, base: str, languages: Mapping[str, float], rows: int) -> str:
        self.asked.append((task, base, languages, rows))
        return str(self.folder)


class Registry:
    """Takes in what runs have learned."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.refuses = False

    def register(self, folder: RunFolder) -> Adapter:
        if self.refuses:
            raise TrainingError("There is no room for another adapter.")
        self.taken.append(folder.id)
        return Adapter(
            id=folder.id,
            name=folder.config.name,
            slot="intent",
            kind="classifier",
            folder=str(folder.adapter),
            base_model="tiny",
            base_hash="",
            created_at=datetime.now(UTC),
        )


class Bench:
    """A data folder, and what is asked of it."""

    def __init__(self, folder: Path, corrections: Sequence[Example] = ()) -> None:
        self.folder = folder / "training"
        self.files = folder
        self.bases = TinyBases(folder / "tiny")
        self.registry = Registry()
        self.frozen: list[Example] = []
        self.corrections = list(corrections)
        self.finetune = self.server()

    def server(self) -> FineTune:
        """Another process on the same folder."""
        return FineTune(
            self.folder,
            self.bases,
            register=self.registry.register,
            corrections=lambda: self.corrections,
            frozen=lambda: self.frozen,
            queue=RunQueue(self.folder, 1, WORKER),
        )

    def script(self, **script: object) -> None:
        """What the workers of all runs without a script of their own do."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "script.json").write_text(json.dumps(script))

    def labelled(self, rows: int = 60) -> Path:
        """A file of texts and labels."""
        path = self.files / "intents.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            for n in range(rows):
                label = list(LABELS)[n % len(LABELS)]
                thing = THINGS[n % len(THINGS)]
                writer.writerow([LABELS[label].format(n=1000 + 37 * n, thing=thing), label])
        return path
