"""Turns of a conversation out of what a cell holds: OpenAI's or ShareGPT's way to write them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from chatapp.records import ChatMessage, Role
from chatapp.training.data.json_depth import is_too_deep

_ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("user", "human", "customer", "client", "question"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "bot", "agent", "chatgpt", "model", "answer"), "assistant"
    ),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("用户", "客户", "顾客", "人类"), "user"),
    **dict.fromkeys(("助手", "客服", "机器人"), "assistant"),
}
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
MOST_TURNS = 1_000


class NoTurns(Exception):
    """A cell that holds no conversation; says what is wrong with it."""


class NoText(NoTurns):
    """A cell that holds something else where a text is expected."""


def turns_of(cell: object) -> tuple[ChatMessage, ...]:
    """The turns that a cell holds: a list of objects, or a text that is such a list in JSON.

    Raises:
        NoTurns: it is something else, and what.
    """
    value = parsed(cell)
    if isinstance(value, dict):  # {"messages": […]} in a cell
        value = next((one for one in value.values() if isinstance(one, list)), value)
    if not isinstance(value, list):
        raise NoTurns("is not a list of turns")
    if not value:
        raise NoTurns("is an empty list")
    if len(value) > MOST_TURNS:
        raise NoTurns(f"has more than {MOST_TURNS:,} turns")
    return tuple(_turn(number, one) for number, one in enumerate(value, 1))


def parsed(cell: object) -> object:
    """A cell, or what it holds in JSON where it is such a text."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            return cell
        return cell if is_too_deep(value) else value
    return cell


def clean(cell: object) -> str:
    """A cell as text that can be stored and encoded: without control characters and halves of
    characters, and without blanks around it.

    Raises:
        NoText: it is a list or an object.
    """
    if cell is None:
        return ""
    if isinstance(cell, list | dict):
        raise NoText(f"is {'a list' if isinstance(cell, list) else 'an object'}: {cell!s:.80}")
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    text = cell if isinstance(cell, str) else str(cell)
    if not text.isprintable():  # quick, and right for nearly every cell
        text = _UNUSABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip().lstrip("\ufeff")


def _turn(number: int, value: object) -> ChatMessage:
    if not isinstance(value, dict):
        raise NoTurns(f"has a turn {number} that is no object")
    said = value.get("role", value.get("from"))
    if not isinstance(said, str):
        raise NoTurns(f"has a turn {number} without a role")
    role = _ROLES.get(said.strip().lower())
    if role is None:
        raise NoTurns(f"has a turn {number} by {said.strip()[:40]!r}, which is no known role")
    return ChatMessage(role, _content(number, value.get("content", value.get("value"))))


def _content(number: int, content: object) -> str:
    """A text, or a list of parts of which each must be text."""
    if content is None or isinstance(content, str | int | float):
        return clean(content)
    if isinstance(content, Sequence):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        if len(texts) == len(content) and all(isinstance(text, str) for text in texts):
            return clean("\n".join(map(str, texts)))
    raise NoTurns(f"has a turn {number} with something other than text in it")
