"""``adapters`` and ``classify`` on the command line: what they print, keep, and how they end."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chatapp import bootstrap_training
from chatapp.__main__ import cli
from chatapp.engine.models.dense_base import DenseBase
from chatapp.store import Database
from tests.adapters import KeywordClassifier, Registry, classify_report, classify_run
from tests.contract_models import Babbler, tiny_lora
from tests.tiny_models import tiny_hf

WORDS = {"refund": ["money"], "delivery": ["parcel"], "other": ["boat"]}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a chat adapter and a classifier in it."""
    data = tmp_path / "data"
    monkeypatch.setenv("CHATAPP_DATA", str(data))
    model = str(tiny_hf(tmp_path / "model", Babbler()))
    monkeypatch.setenv("CHATAPP_MODEL", model)
    monkeypatch.setattr(bootstrap_training, "_open_classifier", KeywordClassifier)
    database = Database(f"sqlite:///{data}/chatapp.db")
    database.migrate()
    registry = Registry(database, data / "training", None, DenseBase(model, data))
    registry.learn("shop")
    registry.learn("worse", contained=0.3)
    run = classify_run(tmp_path / "runs", "bank", WORDS, classify_report())
    registry.adapters.register(run)
    database.close()
    return data


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def listed() -> dict[str, bool]:
    code, out, _ = run("adapters", "list", "--json")
    assert code == 0
    return {one["name"]: one["live"] for one in json.loads(out)["adapters"]}


def test_promoted_and_rolled_back(data: Path) -> None:
    code, out, _ = run("adapters", "list")
    assert code == 0
    assert "60.0% right (base 10.0%)" in out
    code, out, _ = run("adapters", "promote", "shop")
    assert (code, out) == (0, "shop is live for chat.\n")
    code, out, err = run("adapters", "promote", "worse")
    assert (code, out) == (1, "")
    assert "does not beat the live adapter shop" in err
    code, out, _ = run("adapters", "promote", "worse", "--reason", "It is kinder.", "--json")
    assert code == 0
    done = json.loads(out)
    assert (done["live"], done["reason"], done["rollback"]) == ("worse", "It is kinder.", False)
    assert listed() == {"bank": False, "worse": True, "shop": False}
    code, out, _ = run("adapters", "rollback", "chat", "--json")
    assert json.loads(out)["live"] == "shop"
    assert run("adapters", "rollback", "chat")[1] == "The base is live for chat again.\n"
    code, _, err = run("adapters", "rollback", "chat")
    assert code == 1
    assert "rolled back" in err
    spoiled = data / "training" / "adapters"
    for weights in spoiled.glob("*/adapter_model.safetensors"):
        weights.write_bytes(b"cut off")
    code, _, err = run("adapters", "promote", "shop", "--reason", "It was fine.")
    assert (code, "not a readable safetensors file" in err) == (1, True)
    code, _, err = run("adapters", "promote", "nobody")
    assert code == 1
    assert "Known: bank, shop, worse" in err
    assert run("adapters", "rollback", "nonsense")[0] == 2


def test_out_and_in_again(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "shop.zip"
    code, said, _ = run("adapters", "export", "shop", out, "--json")
    assert (code, json.loads(said)["path"]) == (0, str(out))
    assert "adapter_model.safetensors" in zipfile.ZipFile(out).namelist()
    code, said, _ = run("adapters", "import", out, "--name", "again", "--json")
    assert (code, json.loads(said)["name"]) == (0, "again")
    assert "again" in listed()
    code, _, err = run("adapters", "import", out, "--name", "again")
    assert (code, "is taken" in err) == (1, True)
    pickled = tiny_lora(tmp_path / "pickled")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    code, _, err = run("adapters", "import", pickled, "--name", "bad")
    assert (code, "pickle" in err) == (1, True)
    wide = tiny_lora(tmp_path / "wide")
    file = wide / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes().replace(b"layers.1.", b"layers.9."))
    code, _, err = run("adapters", "import", wide, "--name", "bad")
    assert (code, "trained on another model" in err) == (1, True)
    card = tmp_path / "card.md"
    assert run("adapters", "export", "shop", card, "--what", "card")[0] == 0
    assert "library_name: peft" in card.read_text()
    assert run("adapters", "export", "shop", card, "--what", "song")[0] == 2


def test_a_text_is_classified(data: Path) -> None:
    code, out, _ = run("classify", "bank", "Where is my parcel?")
    assert code == 0
    assert out.splitlines()[0].startswith("delivery  ")
    code, out, _ = run("classify", "bank", "My money", "--json")
    said = json.loads(out)
    assert (said["label"], said["model"], said["purpose"]) == ("refund", "bank", "intent")
    assert list(said["probabilities"]) == ["refund", "delivery", "other"]
    code, _, err = run("classify", "intent", "My money")
    assert (code, "No intent classifier is live" in err) == (1, True)
    assert run("adapters", "promote", "bank")[0] == 0
    assert run("classify", "intent", "My money")[1].startswith("refund")
    for name, text, said in (
        ("shop", "a", "sorts no texts"),
        ("who", "a", "no adapter 'who'"),
        ("bank", " ", "The text is empty."),
    ):
        code, _, err = run("classify", name, text)
        assert (code, said in err) == (1, True), err


def test_nothing_learned_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATAPP_DATA", str(tmp_path / "empty"))
    code, out, _ = run("adapters", "list")
    assert code == 0
    assert "Nothing was learned yet" in out
