"""What real trainers leave behind: registered, live, measured, exported and taken in again."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chatapp.__main__ import cli
from chatapp.errors import DatasetError, InvalidRequest
from chatapp.flows.adapters_measuring import measure, read_test
from chatapp.store import Database
from chatapp.training.classify import load_classifier, train
from chatapp.training.classify.readers import Encoders
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training_records import ChatReport, Example
from tests.adapters import Registry, chat_report, chat_run
from tests.contract_models import Babbler
from tests.tiny_encoders import tiny_bert
from tests.tiny_models import tiny_hf
from tests.unit.training.classify.runs import a_run, messages, parts


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A classifier of a tiny BERT, trained for real."""
    shared = Encoders()
    folder = tmp_path_factory.mktemp("classifier")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chatapp.training.classify.training.Encoders", lambda: shared)
        run = a_run(folder / "run", tiny_bert(folder / "base"), parts())
        train(run, run.config, RunLog(run))
    return run


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """On the data folder that the command line uses too."""
    data = tmp_path / "data"
    monkeypatch.setenv("CHATAPP_DATA", str(data))
    database = Database(f"sqlite:///{data}/chatapp.db")
    database.migrate()
    registry = Registry(database, data / "training", None, open_classifier=load_classifier)
    yield registry
    database.close()


def table(path: Path, examples: Sequence[Example]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((one.question, one.answer) for one in examples)
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


async def test_a_trained_classifier_goes_the_whole_way(
    registry: Registry, learned: RunFolder, tmp_path: Path
) -> None:
    adapter = registry.adapters.register(learned)
    assert (adapter.slot, adapter.kind, adapter.name) == ("intent", "classifier", "asked")
    assert adapter.base_model
    passed, sentences = registry.adapters.gate("asked")
    assert passed, sentences
    await registry.adapters.promote("asked")
    (said,) = registry.classifying.label("I want my money back for the boat")
    assert (said.purpose, said.label, said.adapter) == ("intent", "refund", "asked")
    archive = registry.adapters.export("asked", "peft", tmp_path / "asked.zip")
    again = registry.adapters.import_(archive, "again", "intent")
    assert again.base_hash == adapter.base_hash
    ((_, texts),) = registry.classifying.classify(["the tent came damaged"], "again")
    assert next(iter(texts[0])) == "broken"


def test_it_is_measured_on_a_file_from_the_command_line(
    registry: Registry, learned: RunFolder, tmp_path: Path
) -> None:
    # Its run is where the server keeps runs, so that what it learned from is known.
    runs = registry.folder / "runs"
    runs.mkdir(parents=True)
    (runs / learned.id).symlink_to(learned.path)
    registry.adapters.register(learned)
    new = [*messages(slice(0, 1)), Example(text="please cancel it", label="cancel")]
    path = table(tmp_path / "new.csv", new)
    code, out, err = run("evaluate", "adapter", "asked", path)
    assert code == 0, err
    assert "has learned from 3 of these 4 rows" in err
    assert "Accuracy 75.0%" in out
    code, out, _ = run("evaluate", "adapter", "asked", path, "--json")
    result = json.loads(out)
    assert (result["rows"], result["learned_rows"]) == (4, 3)
    assert result["report"]["accuracy"] == 0.75
    assert len(result["report"]["predictions"]) == 4
    assert result["kept"] is False
    # One that was imported keeps what it was measured at, and may go live by it.
    archive = registry.adapters.export("asked", "peft", tmp_path / "asked.zip")
    registry.adapters.import_(archive, "theirs", "intent")
    assert not registry.adapters.gate("theirs").passed
    code, out, _ = run("evaluate", "adapter", "theirs", path)
    assert (code, "This is the report of theirs" in out) == (0, True)
    passed, (sentence, *_) = registry.adapters.gate("theirs")
    assert passed
    assert "75.0% right against 25.0%" in sentence
    code, out, _ = run("classify", "asked", "when will the boat arrive at my door", "--json")
    assert json.loads(out)["label"] == "delivery"
    empty = table(tmp_path / "empty.csv", [])
    for wrong in (empty, tmp_path / "nowhere.csv"):
        code, _, err = run("evaluate", "adapter", "asked", wrong)
        assert code in (1, 2)
        assert err.endswith(".") or "does not exist" in err


def test_a_chat_adapter_is_measured_beside_its_base(registry: Registry, tmp_path: Path) -> None:
    base = tiny_hf(tmp_path / "base", Babbler(context=2048))
    run = chat_run(tmp_path / "runs", "shop", chat_report())
    adapter = registry.adapters.register(run)
    path = tmp_path / "new.jsonl"
    rows = [{"question": f"Where is number {n}?", "answer": "Over there."} for n in range(3)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    examples = read_test(path, "chat")
    assert [one.question for one in examples] == [row["question"] for row in rows]
    report = measure(adapter, examples, lambda: base)
    assert isinstance(report, ChatReport)
    assert len(report.answers) == 3
    assert report.answers[0].before != report.answers[0].after


def test_what_cannot_be_measured_is_said(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("text,label\nonly a text,\n")
    with pytest.raises(DatasetError, match="a text and a label"):
        read_test(path, "classify")
    run = chat_run(tmp_path / "runs", "words", None)
    config = run.path / "config.yaml"
    config.write_text(config.read_text().replace("method: lora", "method: prefix"))
    adapter = registry.adapters.register(run)
    assert adapter.kind == "prompt"
    with pytest.raises(InvalidRequest, match="no engine serves"):
        measure(adapter, [], lambda: tmp_path)
