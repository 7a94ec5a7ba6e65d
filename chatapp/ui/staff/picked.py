"""What the page's script sends along with an event, read with care: anybody could send it."""

from __future__ import annotations

import gradio as gr

from chatapp.errors import InvalidRequest


def text(picked: gr.EventData, name: str) -> str:
    """A text.

    Raises:
        InvalidRequest: there is none of that name.
    """
    value = _value(picked, name)
    if not isinstance(value, str):
        raise _missing(name)
    return value


def texts(picked: gr.EventData, name: str) -> list[str]:
    """A list of texts. Raises as ``text`` does."""
    value = _value(picked, name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _missing(name)
    return value


def number(picked: gr.EventData, name: str) -> float | None:
    """A number, or None where the field was left empty. Raises as ``text`` does."""
    value = _value(picked, name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise _missing(name)


def _value(picked: gr.EventData, name: str) -> object:
    data = picked._data
    return data.get(name) if isinstance(data, dict) else None


def _missing(name: str) -> InvalidRequest:
    return InvalidRequest(f"The page sent no {name}. Reload it and try again.")
