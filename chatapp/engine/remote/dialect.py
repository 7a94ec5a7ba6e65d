"""The words of a chat completion request, and the few that servers disagree about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from chatapp.engine.remote.http import StatusError
from chatapp.engine.remote.stream import message_of
from chatapp.records import ChatMessage, Sampling

_MOST_STOPS = 4
"""OpenAI takes no more; further stop texts are enforced on this side alone."""

_OPTIONAL = ("top_k", "repetition_penalty", "seed", "stop", "top_p", "temperature")
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unexpected|unknown|unrecogni[sz]ed|extra|not (permitted|allowed)",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(r"context.(length|window|size)|too many tokens", re.IGNORECASE)


def as_json(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    """Messages as every OpenAI-compatible server reads them."""
    return [{"role": message.role, "content": message.content} for message in messages]


class Dialect:
    """How one server wants to be spoken to; learned from what it refuses."""

    def __init__(self) -> None:
        self._asks_for_usage = True
        self._length: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    def request(
        self, model: str, messages: Sequence[ChatMessage], sampling: Sampling, max_tokens: int
    ) -> dict[str, object]:
        """The body of a request; extensions to OpenAI's API are in it only when they are set."""
        body: dict[str, object] = {
            "model": model,
            "messages": as_json(messages),
            "stream": True,
            self._length: max_tokens,
            "temperature": sampling.temperature,
        }
        if self._asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        optional: dict[str, tuple[object, bool]] = {
            "top_p": (sampling.top_p, sampling.top_p < 1),
            "top_k": (sampling.top_k, sampling.top_k > 0),
            "repetition_penalty": (sampling.repetition_penalty, sampling.repetition_penalty != 1),
            "seed": (sampling.seed, sampling.seed is not None),
            "stop": (list(sampling.stop[:_MOST_STOPS]), bool(sampling.stop)),
        }
        return body | {name: value for name, (value, is_set) in optional.items() if is_set}

    def learn(self, error: StatusError) -> bool:
        """Whether the server refused a word for which there is another, used from now on."""
        said = _said(error)
        if self._asks_for_usage and re.search(r"stream_options|include_usage", said):
            self._asks_for_usage = False
            return True
        if self._length == "max_tokens" and "max_completion_tokens" in said:
            self._length = "max_completion_tokens"
            return True
        return False


def refused_field(error: StatusError, request: Mapping[str, object]) -> str | None:
    """The sampling field of ``request`` that the server does not know, if that is its trouble."""
    said = _said(error)
    if error.status not in (400, 422) or not _UNSUPPORTED.search(said):
        return None
    named = (name for name in _OPTIONAL if name in request and re.search(rf"\b{name}\b", said))
    return next(named, None)


def is_too_long(error: StatusError) -> bool:
    """Whether the server refused a prompt for its length."""
    return error.status in (400, 413, 422) and bool(_TOO_LONG.search(_said(error)))


def _said(error: StatusError) -> str:
    """The server's words, with the machine-readable ones that OpenAI's error shape has."""
    if error.status not in (400, 413, 422):
        return ""
    words = [message_of(error.body)]
    match error.body:
        case {"error": dict(facts)}:
            words += [str(facts.get("param")), str(facts.get("code"))]
    return " ".join(words)
