"""The command that trains, with a scripted worker: what it says, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from chatapp.commands.train import train
from chatapp.flows.finetune import FineTune
from chatapp.training.run import presets
from tests.flows.teaching import Bench
from tests.unit.training.run.runs import until

cli = typer.Typer()
cli.command()(train)


@dataclass
class Taught:
    """As far as the command looks at it."""

    finetune: FineTune


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    wire(bench, monkeypatch)
    yield bench
    for run in bench.finetune.runs():
        folder = bench.finetune.folder(run.id)
        until(lambda folder=folder: not folder.alive)


def wire(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.commands.train.taught", lambda _settings: Taught(bench.finetune))
    monkeypatch.setattr(presets, "preset_values", lambda *_values, **_more: {"epochs": 2.0})


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def options(path: Path, *more: str) -> list[str]:
    return [str(path), "--task", "classify", "--name", "shop", *more]


def test_it_says_what_came_of_it(bench: Bench) -> None:
    bench.script(report=True)
    path = bench.labelled()
    path.write_text(path.read_text() + ",refund\n")
    result = run(*options(path))
    assert result.exit_code == 0, result.output
    assert "It sorts 9 of 10 texts right; the baseline 5." in result.stdout
    assert "python -m chatapp adapters promote shop" in result.stdout
    assert "60 examples can be learned from; 1 rows are set aside." in result.stderr
    assert "error: " in result.stderr


def test_a_program_reads_one_object(bench: Bench) -> None:
    bench.script(report=True)
    result = run(*options(bench.labelled(), "--json", "--set", "rank=4", "--preset", "quick"))
    said = json.loads(result.stdout)
    assert (said["status"], said["adapter"]) == ("done", "shop")
    assert said["report"]["accuracy"] == 0.9
    assert "predictions" not in said["report"]
    config = bench.finetune.reuse(said["run"])
    assert (config.rank, config.epochs, config.preset) == (4, 2.0, "quick")


def test_a_failed_run_is_one_sentence_and_exit_code_1(bench: Bench) -> None:
    bench.script(failure="model_error", at=3)
    result = run(*options(bench.labelled()))
    assert result.exit_code == 1
    assert "There is no model at nowhere. Choose another base." in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "wrong",
    [["--set", "rank=none"], ["--set", "ranc=3"], ["--set", "rank"], ["--preset", "slow"]],
)
def test_wrong_usage_is_exit_code_2(bench: Bench, wrong: list[str]) -> None:
    result = run(*options(bench.labelled(), *wrong))
    assert result.exit_code == 2, result.output
    assert wrong[1].partition("=")[0] in result.output
    assert bench.finetune.runs() == []


def test_a_file_that_cannot_be_learned_from_is_exit_code_1(bench: Bench) -> None:
    path = bench.files / "photo.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    result = run(*options(path))
    assert result.exit_code == 1
    assert "photo.csv" in result.stderr
    assert run(*options(bench.files / "nowhere.csv")).exit_code == 2


def test_interrupting_keeps_the_best_so_far(tmp_path: Path) -> None:
    """A real Ctrl+C in a process of its own, which the run does not hear."""
    bench = Bench(tmp_path)
    bench.script(report=True, pause=0.05)
    path = bench.labelled()
    command = subprocess.Popen(
        [sys.executable, "-m", __name__, str(tmp_path), *options(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: any(one.state.step > 3 for one in bench.finetune.runs()))
    command.send_signal(signal.SIGINT)
    said, warned = command.communicate(timeout=60)
    (ended,) = bench.finetune.runs()
    assert (ended.state.status, command.returncode) == ("stopped", 0), warned
    assert 3 < ended.state.step < 40
    assert "the best so far is kept" in warned
    assert "It is kept as shop" in said


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patched:
        wire(Bench(Path(sys.argv[1])), patched)
        cli(sys.argv[2:])
