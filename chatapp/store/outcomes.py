"""What a decision made, and earlier turns, as text in a remark's row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

from pydantic import TypeAdapter

from chatapp.feedback_records import Outcome
from chatapp.records import ChatMessage


def pack_outcome(outcome: Outcome | None) -> str | None:
    """As JSON."""
    return None if outcome is None else _outcomes().dump_json(outcome).decode()


def unpack_outcome(text: str | None) -> Outcome | None:
    """What was packed."""
    return None if text is None else _outcomes().validate_json(text)


def pack_turns(turns: Sequence[ChatMessage]) -> str:
    """As JSON."""
    return json.dumps([(turn.role, turn.content) for turn in turns], ensure_ascii=False)


def unpack_turns(text: str) -> tuple[ChatMessage, ...]:
    """What was packed."""
    return tuple(ChatMessage(role, content) for role, content in json.loads(text))


@cache
def _outcomes() -> TypeAdapter[Outcome]:
    return TypeAdapter(Outcome)
