"""Whole runs over a tiny BERT."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chatapp.errors import DatasetError, ModelError, TrainingError
from chatapp.training.classify import evaluate, evaluate_folder, load_classifier, train
from chatapp.training.classify.bases import find_base
from chatapp.training.classify.learners import load_learner
from chatapp.training.classify.readers import Encoders
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunDiscarded, RunLog
from chatapp.training_records import ClassifyReport, Example
from tests.tiny_encoders import tiny_bert
from tests.tiny_models import tiny_hf
from tests.unit.training.classify.runs import a_run, messages, parts


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def shared() -> Encoders:
    return Encoders()


@pytest.fixture(autouse=True)
def _one_encoder_for_all(monkeypatch: pytest.MonkeyPatch, shared: Encoders) -> None:
    monkeypatch.setattr("chatapp.training.classify.training.Encoders", lambda: shared)
    monkeypatch.setattr("chatapp.training.classify.artefact.Encoders", lambda: shared)
    monkeypatch.setattr("chatapp.training.classify.evaluating.Encoders", lambda: shared)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, base: Path, shared: Encoders) -> RunFolder:
    """A run to its end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chatapp.training.classify.training.Encoders", lambda: shared)
        folder = a_run(tmp_path_factory.mktemp("done") / "run", base, parts())
        train(folder, folder.config, RunLog(folder))
    return folder


def test_a_run_leaves_a_report_about_the_test_part(done: RunFolder) -> None:
    report = done.report

    assert isinstance(report, ClassifyReport)
    assert report.rows == {"train": 30, "validation": 9, "test": 9}
    assert report.accuracy > 0.7
    assert report.labels == ("broken", "delivery", "refund")
    assert [one.text for one in report.predictions] == [one.text for one in parts()["test"]]
    assert {one.row for one in report.predictions} == {one.row for one in parts()["test"]}
    assert sum(map(sum, report.confusion)) == 9
    assert report.fine_tuned is not None
    assert report.fine_tuned.name == "Fine-tune"
    assert [point.share for point in report.curve] == [0.25, 0.5, 0.75, 1.0]
    assert "of 9 test messages rightly" in report.sentence
    assert "learned from all 48 rows" in report.sentence


def test_the_page_sees_curves_and_the_instant_baseline(done: RunFolder) -> None:
    points = done.metrics()

    assert any(point.eval_loss is not None and point.eval_accuracy is not None for point in points)
    assert any(point.loss is not None and point.learning_rate is not None for point in points)
    assert any(point.tokens_per_second for point in points)
    assert any("instant baseline" in notice for notice in done.written_state.notices)


def test_what_was_learned_can_be_used(done: RunFolder) -> None:
    for which in (None, "adapter", "baseline"):
        classifier = load_classifier(done.adapter, which)  # type: ignore[arg-type]
        said = classifier.classify(["I want my money back for the canoe", "wann kommt es?"])
        assert next(iter(said[0])) == "refund"
        assert sum(said[0].values()) == pytest.approx(1)
        assert set(said[1]) == {"broken", "delivery", "refund"}
        assert classifier.classify([]) == []
        assert len(classifier.classify(["", "\x00\ud800", "word " * 20_000])) == 3


def test_the_folder_holds_no_pickle_and_no_message(done: RunFolder) -> None:
    files = [path for path in done.adapter.rglob("*") if path.is_file()]

    assert {path.suffix for path in files} == {".json", ".safetensors"}
    assert not any(b"money back" in path.read_bytes() for path in files)
    facts = json.loads((done.adapter / "base.json").read_text())
    assert len(facts["hash"]) == 64
    assert not list(done.path.glob(".*draft")) + list(done.path.glob(".scratch*"))


def test_a_new_file_is_measured_with_labels_that_it_never_learned(done: RunFolder) -> None:
    new = [*messages(slice(0, 2)), Example(text="hello there", label="greeting", row=9)]

    report = evaluate(load_classifier(done.adapter), new)

    assert report.accuracy == pytest.approx(6 / 7, abs=0.2)
    assert "1 of them have a label that it never learned (greeting)" in report.sentence
    assert report.labels[-1] == "greeting"
    assert report.per_label[-1].recall == 0.0
    both = evaluate_folder(done.adapter, new)
    assert both.fine_tuned is not None
    assert both.baseline.name == "Instant baseline"
    assert "never learned (greeting)" in both.sentence
    with pytest.raises(DatasetError, match="no row with a label"):
        evaluate(load_classifier(done.adapter), [Example(text="hello")])


@pytest.mark.parametrize("method", ["dora", "rslora", "pissa", "adalora", "qlora"])
def test_every_method_is_saved_as_plain_peft_loads_it(
    tmp_path: Path, base: Path, method: str
) -> None:
    from peft import PeftModel
    from transformers import AutoModel

    folder = a_run(tmp_path / "run", base, parts(), method=method, max_steps=8)

    assert train(folder, folder.config, RunLog(folder), report=False) is None

    plain = AutoModel.from_pretrained(base, attn_implementation="eager")
    tuned = PeftModel.from_pretrained(plain, str(folder.adapter)).eval()
    learner = load_learner(find_base(str(base)), 64, dropout=0.0, quantized=False)
    before = learner.embed(["where is my tent"])
    learner.model = tuned
    after = learner.embed(["where is my tent"])
    assert np.abs(after - before).max() > 1e-4
    served = load_classifier(folder.adapter, "adapter").readers["tuned"](["where is my tent"])
    assert np.allclose(served, after, atol=1e-4)
    assert folder.report is None


@pytest.mark.parametrize("gradient_checkpointing", [False, True])
def test_a_chat_model_can_learn_to_sort(tmp_path: Path, gradient_checkpointing: bool) -> None:
    folder = a_run(
        tmp_path / "run",
        tiny_hf(tmp_path / "chat"),
        parts(),
        gradient_checkpointing=gradient_checkpointing,
        gradient_accumulation=2,
        schedule="linear",
        label_smoothing=0.1,
    )

    train(folder, folder.config, RunLog(folder), report=False)

    said = load_classifier(folder.adapter, "adapter").classify(["I want my money back for it"])
    assert next(iter(said[0])) == "refund"


@pytest.mark.parametrize("method", ["prefix", "prompt"])
def test_words_in_front_of_an_answer_are_refused(tmp_path: Path, base: Path, method: str) -> None:
    folder = a_run(tmp_path / "run", base, parts(), method=method)

    with pytest.raises(TrainingError, match="a classifier writes none"):
        train(folder, folder.config, RunLog(folder))


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path, base: Path) -> None:
    folder = a_run(tmp_path / "run", base, parts())
    with pytest.raises(KeyboardInterrupt):
        train(folder, folder.config, _KilledAt(folder, step=10))
    assert not folder.adapter.exists()
    reached = folder.metrics()[-1].step

    log = RunLog(folder)
    assert log.checkpoint is not None
    train(folder, folder.config, log)

    later = [point.step for point in folder.metrics() if point.loss is not None]
    assert later.count(later[0]) == 1
    assert max(later) > reached
    assert load_classifier(folder.adapter).labels == ("broken", "delivery", "refund")


def test_keep_ends_with_what_was_learned_so_far(tmp_path: Path, base: Path) -> None:
    folder = a_run(tmp_path / "run", base, parts(), epochs=50.0)

    report = train(folder, folder.config, _AskedAt(folder, step=6, what="keep"))

    assert report is not None
    assert folder.written_state.step < folder.written_state.steps
    assert load_classifier(folder.adapter).classify(["money back"])


def test_discard_leaves_nothing(tmp_path: Path, base: Path) -> None:
    folder = a_run(tmp_path / "run", base, parts(), epochs=50.0)

    with pytest.raises(RunDiscarded):
        train(folder, folder.config, _AskedAt(folder, step=6, what="discard"))

    assert not folder.adapter.exists()


def test_without_parts_set_aside_it_says_that_nobody_knows(tmp_path: Path, base: Path) -> None:
    data = parts() | {"validation": [], "test": []}
    folder = a_run(tmp_path / "run", base, data)

    report = train(folder, folder.config, RunLog(folder))

    assert report is not None
    assert "nobody knows" in report.sentence
    assert report.curve == ()
    assert load_classifier(folder.adapter).classify(["money back"])


def test_labels_with_a_row_or_with_none_to_learn_from(tmp_path: Path, base: Path) -> None:
    data = parts()
    data["train"].append(Example(text="do you sell canoes", label="range", row=100))
    data["test"].append(Example(text="hello", label="greeting", row=101))
    data["train"].append(Example(text="word " * 5_000, label="refund", row=102))
    folder = a_run(tmp_path / "run", base, data)

    report = train(folder, folder.config, RunLog(folder))

    assert report is not None
    assert set(report.labels) == {"broken", "delivery", "refund", "range", "greeting"}
    assert (
        next(iter(load_classifier(folder.adapter).classify(["do you sell canoes"])[0])) == "range"
    )


def test_two_labels_that_are_numbers(tmp_path: Path, base: Path) -> None:
    numbers = {"refund": "0", "delivery": "1"}
    data = {
        name: [
            Example(text=one.text, label=numbers[one.label or ""], row=one.row)
            for one in rows
            if one.label in numbers
        ]
        for name, rows in parts().items()
    }
    folder = a_run(tmp_path / "run", base, data)

    train(folder, folder.config, RunLog(folder))

    for which in ("adapter", "baseline"):
        said = load_classifier(folder.adapter, which).classify(["my money back please"])  # type: ignore[arg-type]
        assert next(iter(said[0])) == "0"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([Example(text="a", label="x"), Example(text="b", label="x")], "only the label 'x'"),
        ([], "no row to learn from"),
        ([Example(text="a", label="x"), Example(text="b", row=7, file="f.csv")], "Row 7 of f.csv"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(
    tmp_path: Path, base: Path, rows: list[Example], sentence: str
) -> None:
    folder = a_run(tmp_path / "run", base, {"train": rows})

    with pytest.raises(DatasetError, match=sentence):
        train(folder, folder.config, RunLog(folder))


def test_the_packages_front_door_brings_no_torch() -> None:
    code = (
        "import sys, chatapp.training.classify as c; c.presets('balanced', 100, False);"
        "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "labels.json").unlink(), "has no labels.json"),
        (lambda folder: (folder / "labels.json").write_text('["a"]'), "do not belong together"),
        (lambda folder: (folder / "labels.json").write_text("{"), "not written by this version"),
        (lambda folder: (folder / "classifier.json").write_text("{}"), "not written by this"),
        (lambda folder: (folder / "head.safetensors").write_bytes(b"\x80\x04."), "is damaged"),
        (lambda folder: (folder / "adapter_model.safetensors").unlink(), "has no adapter_model"),
    ],
)
def test_a_damaged_folder_is_told_in_a_sentence(
    tmp_path: Path, done: RunFolder, damage: object, sentence: str
) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(done.adapter, folder)
    damage(folder)  # type: ignore[operator]

    with pytest.raises(ModelError, match=sentence):
        load_classifier(folder, "adapter")


class _AskedAt(RunLog):
    """Somebody asks for an end when a step is done."""

    def __init__(self, folder: RunFolder, step: int, what: str) -> None:
        super().__init__(folder)
        self._run, self._at, self._what = folder, step, what

    def progress(self, step: int, steps: int, epoch: float = 0.0) -> None:
        if step == self._at:
            self._run.ask_to_stop(self._what)  # type: ignore[arg-type]
        super().progress(step, steps, epoch)


class _KilledAt(RunLog):
    """The process ends in the middle of a step."""

    def __init__(self, folder: RunFolder, step: int) -> None:
        super().__init__(folder)
        self._at = step

    def progress(self, step: int, steps: int, epoch: float = 0.0) -> None:
        super().progress(step, steps, epoch)
        if step == self._at:
            raise KeyboardInterrupt
