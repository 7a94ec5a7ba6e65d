"""Settings that suit a task, a file and a machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from chatapp.training.config import Preset, RunConfig, make_config
from chatapp.training_records import Task


def preset_values(task: Task, preset: Preset, rows: int, *, gpu: bool) -> Mapping[str, object]:
    """The settings that a preset decides, by name; what it leaves out has its default.

    Args:
        rows: how many examples are learned from.
        gpu: whether there is one.
    """
    values: Mapping[str, object] = import_module(f"chatapp.training.{task}").presets(
        preset, rows, gpu
    )
    return values


def recommended(
    task: Task, name: str, preset: Preset, rows: int, *, gpu: bool, **more: object
) -> RunConfig:
    """A config of a preset, with some settings chosen by hand.

    Raises:
        InvalidRequest: names the first setting that is wrong.
    """
    values = preset_values(task, preset, rows, gpu=gpu)
    return make_config({**values, "task": task, "name": name, "preset": preset, **more})
