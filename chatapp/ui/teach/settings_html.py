"""The settings of a run as fields of a form, drawn from ``RunConfig`` itself."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from chatapp.training.config import RunConfig
from chatapp.ui.teach.texts import TeachWords

UPFRONT: Final = ("task", "name", "base", "preset", "purpose")
"""What the step asks for by itself; everything else is an advanced setting."""


def advanced_names() -> list[str]:
    """The advanced settings, in the config's own order."""
    return [name for name in RunConfig.model_fields if name not in UPFRONT]


def settings_html(config: RunConfig, words: TeachWords) -> str:
    """A field for each, with its sentence of advice."""
    return "".join(
        _field(name, RunConfig.model_fields[name], getattr(config, name), words)
        for name in advanced_names()
    )


def _field(name: str, field: FieldInfo, value: object, words: TeachWords) -> str:
    kind = _kind(field.annotation)
    advice = escape(words.advice(name, field.description or ""))
    control = _control(name, field, kind, value)
    wide = ' class="wide"' if kind is str else ""
    if kind is bool:
        return f'<label class="switch">{control}<span>{advice} <code>{name}</code></span></label>'
    return f"<label{wide}><span>{advice} <code>{name}</code></span>{control}</label>"


def _control(name: str, field: FieldInfo, kind: Any, value: object) -> str:
    if kind is bool:
        return f'<input type="checkbox" name="{name}"{" checked" if value else ""}>'
    if get_origin(kind) is Literal:
        options = "".join(
            f"<option{' selected' if one == value else ''}>{escape(str(one))}</option>"
            for one in get_args(kind)
        )
        return f'<select name="{name}">{options}</select>'
    if kind in (int, float):
        bounds = "".join(f' {key}="{limit}"' for key, limit in _bounds(field).items())
        step = "1" if kind is int else "any"
        shown = "" if value is None else _number(value)
        needed = "" if value is None or _optional(field.annotation) else " required"
        return (
            f'<input type="number" name="{name}" inputmode="decimal" step="{step}"{bounds} '
            f'value="{shown}"{needed}>'
        )
    return f'<textarea name="{name}" rows="2">{escape(str(value))}</textarea>'


def _kind(annotation: Any) -> Any:
    """The type that is typed in: ``int`` of ``int | None``."""
    if get_origin(annotation) in (Union, UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _bounds(field: FieldInfo) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for rule in field.metadata:
        for ours, theirs in (("min", ("ge", "gt")), ("max", ("le", "lt"))):
            for name in theirs:
                limit = getattr(rule, name, None)
                if limit is not None:
                    found[ours] = limit
    return found


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
