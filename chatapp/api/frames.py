"""Server-sent events of one answer, built by hand: a stream sends hundreds of frames a second."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from chatapp.api.grounding import GroundingBody, grounding_body
from chatapp.api.schemas import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    ErrorBody,
    UsageBody,
)
from chatapp.knowledge_records import Grounding
from chatapp.records import FinishReason, Usage

DONE_FRAME = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every frame of one answer repeats."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(
        self, text: str, reason: FinishReason, usage: Usage, grounding: Grounding | None = None
    ) -> dict[str, object]:
        """The answer as one JSON object."""
        choice = Choice(message=AnswerMessage(content=text), finish_reason=finish(reason))
        completion = ChatCompletion(
            id=self.id,
            created=self.created,
            model=self.model,
            choices=[choice],
            usage=usage_body(usage),
        )
        plain = completion.model_dump(exclude=set(GroundingBody.model_fields))
        return plain | grounding_body(grounding)


class Frames:
    """Writes the frames of one answer."""

    def __init__(self, head: Head, *, with_usage: bool) -> None:
        common = {"id": head.id, "object": "chat.completion.chunk", "created": head.created}
        self._head = "data: " + _json(common | {"model": head.model})[:-1]
        self._with_usage = with_usage
        # With usage asked for, every other frame says that it has none, as OpenAI's do.
        self._tail = ',"usage":null}\n\n' if with_usage else "}\n\n"
        self._before_text = f'{self._head},"choices":[{{"index":0,"delta":{{"content":'
        self._after_text = f'}},"logprobs":null,"finish_reason":null}}]{self._tail}'

    def first(self) -> bytes:
        """Says who speaks."""
        return self._choice({"role": "assistant", "content": ""}, None)

    def text(self, text: str) -> bytes:
        """The next piece of text."""
        return f"{self._before_text}{_json(text)}{self._after_text}".encode()

    def last(self, reason: FinishReason, usage: Usage, grounding: Grounding | None = None) -> bytes:
        """How the answer ended and what it leans on, the token counts if they were asked for, and
        the end mark."""
        frames = self._choice({}, finish(reason), grounding_body(grounding))
        if self._with_usage:
            counts = usage_body(usage).model_dump_json()
            frames += f'{self._head},"choices":[],"usage":{counts}}}\n\n'.encode()
        return frames + DONE_FRAME

    def error(self, body: ErrorBody) -> bytes:
        """The answer broke; no end mark follows."""
        return f"data: {body.model_dump_json()}\n\n".encode()

    def waiting(self) -> bytes:
        """A comment, which clients skip, so that nobody in between closes a silent connection."""
        return b": waiting\n\n"

    def _choice(
        self,
        delta: dict[str, str],
        reason: str | None,
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        beside = f",{_json(dict(more))[1:-1]}" if more else ""
        return f'{self._head},"choices":[{_json(choice)}]{beside}{self._tail}'.encode()


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def finish(reason: FinishReason) -> Literal["stop", "length"]:
    """OpenAI's word for how an answer ended."""
    return "length" if reason == "length" else "stop"


def usage_body(usage: Usage) -> UsageBody:
    """Token counts in OpenAI's shape."""
    return UsageBody(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
    )
