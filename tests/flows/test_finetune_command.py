"""The command that does the same as the page: written out, read back, the same config."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from chatapp.commands.train import train
from chatapp.errors import InvalidRequest
from chatapp.flows.finetune_command import command_line, settings_of
from chatapp.training.config import RunConfig, make_config

DECIDED = {"epochs": 5.0, "learning_rate": 1e-4, "batch_size": 16, "rank": 8, "evaluations": 4}
ODD = {
    "system_prompt": "You are 'the' shop's \"assistant\".\nAnswer briefly; $HOME = {x} 你好",
    "learning_rate": 3.3e-05,
    "max_steps": 12,
    "augment": True,
    "gradient_checkpointing": False,
    "schedule": "linear",
    "method": "dora",
    "purpose": "sentiment",
    "early_stopping": 0,
    "base": "/models/a folder/it's here",
    "preset": "thorough",
}


def parsed(line: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, RunConfig]:
    """What the real command makes of a line."""
    said: dict[str, Any] = {}

    def caught(
        _finetune: object, _dataset: object, task: str, name: str, preset: str, base: str,
        sets: Sequence[str],
    ) -> None:  # fmt: skip
        values = {**DECIDED, "task": task, "name": name, "preset": preset, "base": base}
        said["config"] = make_config({**values, **settings_of(sets)})
        raise typer.Exit(0)

    class Finetune:
        def add_dataset(self, name: str, path: object, again: bool = True) -> Finetune:
            said["file"] = str(path)
            return self

        finetune = property(lambda self: self)

    module = "chatapp.commands.train"
    monkeypatch.setattr(f"{module}.taught", lambda _settings: Finetune())
    monkeypatch.setattr(f"{module}._config", caught)
    cli = typer.Typer()
    cli.command()(train)
    words = shlex.split(line)
    assert words[:4] == ["python", "-m", "chatapp", "train"]
    result = CliRunner().invoke(cli, words[4:])
    assert result.exit_code == 0, result.output
    return said["file"], said["config"]


@pytest.mark.parametrize(
    "values", [{}, {"task": "classify"}, ODD, {"epochs": 3}, {"rank": 16, "name": "a.b-c_d"}]
)
def test_the_command_says_the_whole_config(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    file = tmp_path / "my 'odd' file.csv"
    file.write_text("text,label\n")
    config = make_config({"task": "chat", "name": "shop", **DECIDED, **values})
    line = command_line(config, str(file), list(DECIDED))
    assert parsed(line, monkeypatch) == (str(file), config)


def test_the_command_is_short_where_nothing_was_changed() -> None:
    config = make_config({"task": "classify", "name": "shop"})
    assert command_line(config, "data.csv", []) == (
        "python -m chatapp train data.csv --task classify --name shop --preset balanced"
    )


@pytest.mark.parametrize("wrong", ["rank", "=3", " = "])
def test_an_assignment_without_a_name_or_a_value_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match="not of the form name=value"):
        settings_of([wrong])


def test_none_can_be_said() -> None:
    assert settings_of(["max_steps=", "system_prompt="]) == {"max_steps": None, "system_prompt": ""}
