"""Reports, run folders and adapters as trainers leave them, made in a moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chatapp.engine.base import Engine
from chatapp.engine.models.dense_base import DenseBase
from chatapp.flows.adapters import Adapters
from chatapp.flows.adapters_files import AdapterFiles
from chatapp.flows.adapters_serving import OpenClassifier, Serving
from chatapp.flows.classifying import Classifying
from chatapp.metrics import Metrics
from chatapp.records import ChatMessage
from chatapp.store import Database, MessageLabels, Promotions, StoredAdapters
from chatapp.training.config import make_config
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import (
    AnswerPair,
    AnswerScores,
    ChatReport,
    ClassifyReport,
    Example,
    GeneralCheck,
    LabelScore,
    Prediction,
    Purpose,
    Report,
    RunState,
    Scores,
)
from tests.contract_models import tiny_lora

QUESTIONS = ("Where is my parcel?", "Can I return a tent?", "Do you ship abroad?", "Who are you?")


def chat_report(
    contained: float = 0.6,
    *,
    base: float = 0.1,
    few_shot: float = 0.2,
    rouge: float = 0.5,
    general: tuple[float, float] = (0.5, 0.5),
    questions: Sequence[str] = QUESTIONS,
) -> ChatReport:
    """Of an adapter that is right in this share of the test part."""
    return ChatReport(
        sentence="It helped.",
        rows={"train": 40, "validation": 4, "test": len(questions)},
        base=AnswerScores(name="Base", exact=0.0, contained=base, rouge_l=0.1),
        few_shot=AnswerScores(name="Examples", exact=0.0, contained=few_shot, rouge_l=0.2),
        adapter=AnswerScores(name="Adapter", exact=0.3, contained=contained, rouge_l=rouge),
        answers=tuple(
            AnswerPair(question=one, expected=f"To {one}", before="?", after=f"To {one}")
            for one in questions
        ),
        general=GeneralCheck(questions=20, before=general[0], after=general[1], allowed_drop=0.1),
    )


def classify_report(
    right: Sequence[bool] = (True, True, True, False),
    *,
    labels: Sequence[str] = ("refund", "delivery"),
    texts: Sequence[str] = QUESTIONS,
    baseline: float = 0.5,
) -> ClassifyReport:
    """Of a classifier that is right where ``right`` says so."""
    pairs = [
        (labels[n % len(labels)], labels[(n + (not ok)) % len(labels)])
        for n, ok in enumerate(right)
    ]
    accuracy = sum(right) / len(right)
    score = LabelScore(
        label="", precision=accuracy, recall=accuracy, f1=accuracy, support=len(right)
    )
    return ClassifyReport(
        sentence="It helped.",
        winner="adapter",
        labels=tuple(labels),
        rows={"train": 40, "validation": 4, "test": len(right)},
        accuracy=accuracy,
        per_label=(),
        macro=score,
        weighted=score,
        confusion=(),
        predictions=tuple(
            Prediction(text=text, label=label, predicted=predicted, confidence=0.9)
            for text, (label, predicted) in zip(texts, pairs, strict=True)
        ),
        calibration=(),
        calibration_error=0.1,
        curve=(),
        baseline=Scores(name="Baseline", accuracy=baseline, macro_f1=baseline, seconds=1),
        fine_tuned=Scores(name="Fine-tune", accuracy=accuracy, macro_f1=accuracy, seconds=9),
    )


def chat_run(
    runs: Path,
    name: str,
    report: Report | None = None,
    *,
    seed: int = 7,
    questions: Sequence[str] = QUESTIONS,
    base_hash: str = "",
) -> RunFolder:
    """A finished run that taught the tiny model to answer."""
    folder = RunFolder(runs / f"{runs.name}-{name}")
    tests = [
        Example(messages=(ChatMessage("user", one), ChatMessage("assistant", f"To {one}")))
        for one in questions
    ]
    config = make_config({"task": "chat", "name": name, "rank": 4, "alpha": 16})
    folder.create(config, {"train": tests * 2, "validation": tests, "test": tests})
    tiny_lora(folder.adapter, seed=seed)
    _finish(folder, report, base_hash)
    return folder


def classify_run(
    runs: Path,
    name: str,
    keywords: Mapping[str, Sequence[str]],
    report: Report | None = None,
    purpose: Purpose = "intent",
    *,
    texts: Sequence[str] = QUESTIONS,
) -> RunFolder:
    """A finished run whose classifier goes by words; see ``KeywordClassifier``."""
    folder = RunFolder(runs / f"{runs.name}-{name}")
    tests = [Example(text=one, label=label) for one, label in zip(texts, "abab", strict=True)]
    config = make_config({"task": "classify", "name": name, "purpose": purpose})
    folder.create(config, {"train": tests * 2, "validation": tests, "test": tests})
    folder.adapter.mkdir()
    (folder.adapter / "labels.json").write_text(json.dumps(keywords), encoding="utf-8")
    _finish(folder, report)
    return folder


def _finish(folder: RunFolder, report: Report | None, base_hash: str = "") -> None:
    base = {"model": "tiny", "hash": base_hash or "b" * 64}
    (folder.adapter / "base.json").write_text(json.dumps(base), encoding="utf-8")
    if report is not None:
        folder.write_report(report)
    folder.write_state(RunState(status="done"))


class KeywordClassifier:
    """Knows a label by its words: ``{"refund": ["money"]}``. Raises for the text ``crash``."""

    def __init__(self, folder: Path) -> None:
        self._words: dict[str, list[str]] = json.loads((folder / "labels.json").read_text("utf-8"))

    def classify(self, texts: Sequence[str]) -> list[dict[str, float]]:
        return [self._one(text.lower()) for text in texts]

    def _one(self, text: str) -> dict[str, float]:
        if text == "crash":
            raise RuntimeError("crashed")
        points = {
            label: 1 + 8 * sum(word in text for word in words)
            for label, words in self._words.items()
        }
        total = sum(points.values())
        return {label: value / total for label, value in points.items()}


@dataclass
class Registry:
    """The registry on a database and a folder, as the app joins it."""

    database: Database
    folder: Path
    engine: Engine | None
    base: DenseBase = field(default_factory=lambda: DenseBase(None, Path()))
    reserved: Callable[[], Sequence[str]] = tuple
    metrics: Metrics = field(default_factory=Metrics)
    open_classifier: OpenClassifier = field(default_factory=lambda: KeywordClassifier)

    def __post_init__(self) -> None:
        place = self.folder / "adapters"
        self.stored = StoredAdapters(self.database, place)
        self.serving = Serving(self.engine, self.open_classifier)
        self.labels = MessageLabels(self.database)
        self.adapters = Adapters(
            self.stored,
            Promotions(self.database),
            AdapterFiles(place),
            self.serving,
            self.base,
            self.folder / "runs",
            self.reserved,
        )
        self.classifying = Classifying(self.serving, self.stored, self.labels, self.metrics)

    def learn(self, name: str, *, seed: int = 7, contained: float = 0.6) -> None:
        """Register a chat adapter that was measured as this good."""
        report = chat_report(contained)
        runs, base_hash = self.folder / "runs", self.base.hash()
        self.adapters.register(chat_run(runs, name, report, seed=seed, base_hash=base_hash))
