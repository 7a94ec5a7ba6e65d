"""The command line that does the same as a click: from settings to words, and back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from chatapp.errors import InvalidRequest
from chatapp.training.config import RunConfig

_BY_OPTION = ("task", "name", "preset", "base")


def command_line(config: RunConfig, file: str, decided: Sequence[str]) -> str:
    """``python -m chatapp train …`` with exactly these settings.

    Args:
        decided: the settings that the preset decides. They are written out: what a preset
            decides depends on the machine, and the command is to do the same elsewhere.
    """
    words = ["python", "-m", "chatapp", "train", file]
    words += ["--task", config.task, "--name", config.name, "--preset", config.preset]
    if config.base != "auto":
        words += ["--base", config.base]
    for name, field in RunConfig.model_fields.items():
        value = getattr(config, name)
        if name not in _BY_OPTION and (name in decided or value != field.default):
            words += ["--set", f"{name}={_text(value)}"]
    return shlex.join(words)


def settings_of(assignments: Sequence[str]) -> dict[str, object]:
    """What ``--set`` options say; an empty value is none.

    Raises:
        InvalidRequest: one of them is not of the form name=value.
    """
    values: dict[str, object] = {}
    for one in assignments:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise InvalidRequest(
                f"--set {one} is not of the form name=value, e.g. --set learning_rate=0.0001."
            )
        name = name.strip()
        nullable = name in RunConfig.model_fields and RunConfig.model_fields[name].default is None
        values[name] = None if nullable and value in ("", "none") else value
    return values


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
