"""Which request fields are honoured, which ask for nothing, and which are refused by name.

A client's library often sends a field whose value changes nothing: ``n=1``, ``logprobs=false``,
an empty ``tools``. Those are accepted, because accepting them keeps every promise they make. The
same fields with any other value are refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatapp.errors import InvalidRequest, UnsupportedField

HONOURED: Final = frozenset(
    {
        "model",
        "messages",
        "collection",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "repetition_penalty",
        "seed",
        "stop",
    }
)
LABELS: Final = frozenset(
    {"user", "metadata", "safety_identifier", "prompt_cache_key", "parallel_tool_calls"}
)
"""The caller's own notes, and switches for tools that are never used: nothing to honour."""

NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {
    "n": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "min_p": (0,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "store": (False,),
    "service_tier": ("auto", "default"),
    "reasoning_effort": ("none",),
    "verbosity": ("medium",),
}
"""Fields that are not honoured, with the values that ask for nothing."""

_ROLES = ("system", "developer", "user", "assistant")
_MESSAGE = frozenset({"role", "content"})
_MESSAGE_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "refusal": ("",),
    "annotations": ([],),
    "tool_calls": ([],),
}
_STREAM_OPTIONS = frozenset({"include_usage"})
_STREAM_OPTIONS_NEUTRAL: Mapping[str, tuple[object, ...]] = {"include_obfuscation": (False,)}


def honoured(request: Mapping[str, object]) -> dict[str, object]:
    """The fields of a chat completion that are set and will be honoured.

    Fields set to null count as not set.

    Raises:
        UnsupportedField: a field, role or content part that cannot be honoured.
        InvalidRequest: a message without text.
    """
    kept = _keep(request, HONOURED, NEUTRAL, LABELS)
    options = kept.get("stream_options")
    if isinstance(options, dict):
        kept["stream_options"] = _keep(
            options, _STREAM_OPTIONS, _STREAM_OPTIONS_NEUTRAL, path="stream_options."
        )
    messages = kept.get("messages")
    if isinstance(messages, list):
        kept["messages"] = [
            _message(message, f"messages[{index}]") for index, message in enumerate(messages)
        ]
    return kept


def _keep(
    given: Mapping[str, object],
    known: frozenset[str],
    neutral: Mapping[str, tuple[object, ...]],
    labels: frozenset[str] = frozenset(),
    path: str = "",
) -> dict[str, object]:
    kept = {}
    for name, value in given.items():
        if value is None or name in labels:
            continue
        if name in known:
            kept[name] = value
        elif name not in neutral:
            raise UnsupportedField(
                path + name, f"The field {path + name} is not supported here. Leave it out."
            )
        elif value not in neutral[name]:
            raise UnsupportedField(
                path + name,
                f"The field {path + name} is not supported here. Leave it out or send "
                f"{neutral[name][0]!r}.",
            )
    return kept


def _message(message: object, path: str) -> object:
    if not isinstance(message, dict):
        return message
    kept = _keep(message, _MESSAGE, _MESSAGE_NEUTRAL, path=f"{path}.")
    role = kept.get("role")
    if isinstance(role, str) and role not in _ROLES:
        raise UnsupportedField(
            f"{path}.role",
            f"{path}.role is {role!r}, which is not supported here. Use one of: "
            f"{', '.join(_ROLES)}.",
        )
    content = kept.get("content")
    if isinstance(content, list):
        for index, part in enumerate(content):
            _text_part(part, f"{path}.content[{index}]")
    elif not isinstance(content, str):
        raise InvalidRequest(
            f"{path}.content must be a text, or a list of text parts.", field=f"{path}.content"
        )
    return kept


def _text_part(part: object, path: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str) and kind != "text":
        raise UnsupportedField(
            path, f"{path} is of type {kind!r}, but this model reads text only. Leave it out."
        )
    if not isinstance(part, dict) or kind != "text" or not isinstance(part.get("text"), str):
        raise InvalidRequest(f'{path} must look like {{"type": "text", "text": "…"}}.', field=path)
