"""What the page's script sends along with an event, read with care: anybody could send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, get_args

import gradio as gr

from chatapp.errors import InvalidRequest
from chatapp.training.config import Preset, RunConfig, make_config
from chatapp.training_records import DataMapping, Format, Slot, Task
from chatapp.ui.staff.picked import text, texts

_Choice = TypeVar("_Choice", bound=str)


def optional(picked: gr.EventData, name: str) -> str:
    """A text, empty where there is none."""
    data = picked._data
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def task(picked: gr.EventData) -> Task:
    """The task."""
    return one_of(text(picked, "task"), get_args(Task), "task")


def preset(picked: gr.EventData) -> Preset:
    """The preset."""
    return one_of(text(picked, "preset"), get_args(Preset), "preset")


def slot(picked: gr.EventData) -> Slot:
    """A slot; an undo names it as the one thing to take back."""
    named = optional(picked, "slot") or next(iter(texts(picked, "ids")), "")
    return one_of(named, get_args(Slot), "slot")


def mapping(picked: gr.EventData) -> DataMapping:
    """A format, and the columns of its roles."""
    kind: Format = one_of(text(picked, "format"), get_args(Format), "format")
    return DataMapping(format=kind, columns={k: v for k, v in _texts(picked, "columns") if v})


def settings(picked: gr.EventData) -> RunConfig:
    """The settings as they stand in the form; a number that was left empty is not set.

    Raises:
        InvalidRequest: names the first one that is wrong.
    """
    fields = RunConfig.model_fields
    values = {
        name: None if value == "" and fields[name].default is None else value
        for name, value in _texts(picked, "settings")
        if name in fields
    }
    return make_config(values)


def one_of(value: str, known: tuple[_Choice, ...], name: str) -> _Choice:
    """The choice of that name.

    Raises:
        InvalidRequest: there is none.
    """
    for choice in known:
        if choice == value:
            return choice
    raise InvalidRequest(f"There is no {name} {value!r}. Reload the page and try again.")


def _texts(picked: gr.EventData, name: str) -> list[tuple[str, str]]:
    data = picked._data
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"The page sent no {name}. Reload it and try again.")
    return [(str(key), str(one)) for key, one in value.items()]
