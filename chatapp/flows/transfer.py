"""A conversation as a file: out as Markdown or JSON, in from JSON."""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import ErrorDetails

from chatapp.errors import InvalidRequest
from chatapp.flows.titles import title_from
from chatapp.knowledge_records import Grounding
from chatapp.records import Conversation, FinishReason, Message, MessageStatus, Timing, Usage
from chatapp.store.conversations import Conversations

FORMAT = "chatapp-conversation"
VERSION = 1
LARGEST_FILE = 20 * 1024 * 1024
"""Bytes."""
MOST_MESSAGES = 10_000

_NOTES = {"stopped": "*(stopped)*", "writing": "*(still being written)*"}
_MOST_TOKENS = 2**31 - 1
_LONGEST_TITLE = 200


def export_markdown(conversation: Conversation, branch: Sequence[Message]) -> str:
    """The shown branch, to be read by people."""
    parts = [f"# {' '.join(conversation.title.split()) or 'Conversation'}"]
    parts.append(f"*{conversation.created_at:%Y-%m-%d %H:%M} UTC*")
    if conversation.system_prompt.strip():
        quoted = conversation.system_prompt.strip().replace("\n", "\n> ")
        parts.append(f"> {quoted}")
    for message in branch:
        model = f" ({message.model})" if message.model else ""
        parts.append("## You" if message.role == "user" else f"## Assistant{model}")
        parts.append(message.text.strip("\n"))
        parts.append(f"*({message.error})*" if message.error else _NOTES.get(message.status, ""))
    return "\n\n".join(part for part in parts if part) + "\n"


def export_json(conversation: Conversation, messages: Sequence[Message]) -> str:
    """The whole tree, to be imported again. ``messages`` are those of every branch."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "title": conversation.title,
            "persona_id": conversation.persona_id,
            "system_prompt": conversation.system_prompt,
            "leaf_id": conversation.leaf_id,
            "created_at": conversation.created_at.isoformat(),
            "messages": [_exported(message) for message in messages],
        },
        ensure_ascii=False,
        indent=2,
    )


def import_json(conversations: Conversations, owner: str, data: bytes) -> Conversation:
    """Store a conversation from a file as a new one of this owner.

    Reads what ``export_json`` writes, and a plain list of ``{"role": …, "content": …}`` as
    chat programs and training files have it (also as the ``messages`` of an object).

    Raises:
        InvalidRequest: what is wrong with the file, and where.
        StorageError: the database refused.
    """
    tree = _read(data)
    places = {message.id: place for place, message in enumerate(tree.messages)}
    ordered = [tree.messages[place] for place in _parents_first(tree.messages, places)]
    leaf_id = tree.leaf_id
    if leaf_id is not None and leaf_id not in places:
        raise InvalidRequest(f"The file shows the message {leaf_id!r}, which is not in it.")
    first = next((m.text for m in ordered if m.role == "user"), "")
    conversation = Conversation(
        id="",
        owner=owner,
        title=tree.title.strip()[:_LONGEST_TITLE] or title_from(first) or "Imported conversation",
        persona_id=tree.persona_id,
        system_prompt=tree.system_prompt,
        leaf_id=leaf_id or (ordered[-1].id if ordered else None),
        created_at=tree.created_at,
        updated_at=datetime.now(UTC),
    )
    return conversations.insert(conversation, [message.record() for message in ordered])


class _File(BaseModel):
    model_config = ConfigDict(strict=True)


class _Usage(_File):
    prompt_tokens: int = Field(ge=0, le=_MOST_TOKENS)
    completion_tokens: int = Field(ge=0, le=_MOST_TOKENS)


class _Timing(_File):
    queued: float = Field(ge=0, allow_inf_nan=False)
    first_token: float = Field(ge=0, allow_inf_nan=False)
    total: float = Field(ge=0, allow_inf_nan=False)


class _Dated(_File):
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC), strict=False)

    @field_validator("created_at")
    @classmethod
    def _in_utc(cls, value: datetime) -> datetime:
        if not 1970 <= value.year <= 9000:
            raise ValueError("a date between 1970 and 9000")
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class _Message(_Dated):
    id: str = Field(min_length=1)
    parent_id: str | None = None
    role: Literal["user", "assistant"]
    text: str
    status: MessageStatus = "complete"
    model: str | None = None
    adapter: str | None = None
    usage: _Usage | None = None
    timing: _Timing | None = None
    finish_reason: FinishReason | None = None
    dropped_turns: int = Field(0, ge=0, le=_MOST_TOKENS)
    error: str | None = None
    error_code: str | None = None
    liked: bool | None = None
    grounding: Grounding | None = None

    @field_validator("grounding", mode="before")
    @classmethod
    def _as_exported(cls, value: object) -> Grounding | None:
        # Not as strictly as the rest: JSON has lists where the record has tuples.
        try:
            return None if value is None else TypeAdapter(Grounding).validate_python(value)
        except ValidationError:
            raise ValueError("as this app exports it") from None

    def record(self) -> Message:
        """The message as the store takes it; nobody goes on writing an imported answer."""
        return Message(
            id=self.id,
            conversation_id="",
            parent_id=self.parent_id,
            role=self.role,
            text=self.text,
            status="stopped" if self.status == "writing" else self.status,
            created_at=self.created_at,
            model=self.model,
            adapter=self.adapter,
            usage=Usage(**self.usage.model_dump()) if self.usage else None,
            timing=Timing(**self.timing.model_dump()) if self.timing else None,
            finish_reason=self.finish_reason,
            dropped_turns=self.dropped_turns,
            error=self.error,
            error_code=self.error_code,
            liked=self.liked,
            grounding=self.grounding,
        )


class _Tree(_Dated):
    title: str = ""
    persona_id: str = ""
    system_prompt: str = ""
    leaf_id: str | None = None
    messages: list[_Message] = Field(max_length=MOST_MESSAGES)


class _Turn(_File):
    role: Literal["system", "user", "assistant"]
    content: str


class _Turns(_File):
    messages: list[_Turn] = Field(max_length=MOST_MESSAGES)


def _exported(message: Message) -> dict[str, object]:
    fields = asdict(message) | {"created_at": message.created_at.isoformat()}
    del fields["conversation_id"]
    return fields


def _read(data: bytes) -> _Tree:
    """The file as a tree, whichever of the formats it has."""
    if len(data) > LARGEST_FILE:
        raise InvalidRequest(
            f"The file is larger than {LARGEST_FILE // 1024**2} MiB, which is the limit."
        )
    content = _parsed(data)
    if isinstance(content, list):
        content = {"messages": content}
    if not isinstance(content, dict) or "messages" not in content:
        raise InvalidRequest("The file holds no conversation: there are no messages in it.")
    try:
        if "format" not in content:
            return _chain(_Turns.model_validate(content).messages)
        if content["format"] != FORMAT:
            raise InvalidRequest(f"The file's format is {content['format']!r}, not {FORMAT!r}.")
        if content.get("version") != VERSION:
            raise InvalidRequest(
                f"The file has version {content.get('version')!r} of its format, but this app "
                f"reads version {VERSION}. It may come from a newer app."
            )
        return _Tree.model_validate(content)
    except ValidationError as error:
        raise InvalidRequest(_sentence(error.errors()[0])) from None


def _parsed(data: bytes) -> object:
    try:
        content: object = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidRequest("The file is not UTF-8 text; choose a JSON file.") from None
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"The file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except (RecursionError, ValueError):
        raise InvalidRequest("The file is nested too deep or holds endless numbers.") from None
    return content


def _chain(turns: Sequence[_Turn]) -> _Tree:
    """A plain list of turns as a tree of one branch. Leading system turns are the prompt."""
    first = next((i for i, turn in enumerate(turns) if turn.role != "system"), len(turns))
    messages: list[_Message] = []
    for place, turn in enumerate(turns[first:], first):
        if turn.role == "system":
            raise InvalidRequest(
                f"Message {place + 1} has the role system, which only the first may have."
            )
        parent = messages[-1].id if messages else None
        messages.append(
            _Message(id=str(place), parent_id=parent, role=turn.role, text=turn.content)
        )
    prompt = "\n\n".join(turn.content for turn in turns[:first])
    return _Tree(system_prompt=prompt, messages=messages)


def _parents_first(messages: Sequence[_Message], places: dict[str, int]) -> list[int]:
    """Places in the file, in its order as far as no answer comes before its question."""
    if len(places) < len(messages):
        twin = next(i for i, message in enumerate(messages) if places[message.id] != i)
        raise InvalidRequest(f"Message {twin + 1} has the same id as another one.")
    children: dict[str | None, list[int]] = {}
    for place, message in enumerate(messages):
        if message.parent_id is not None and message.parent_id not in places:
            raise InvalidRequest(f"Message {place + 1} follows a message that is not in the file.")
        children.setdefault(message.parent_id, []).append(place)
    ready = children.get(None, [])
    ordered: list[int] = []
    while ready:
        place = heapq.heappop(ready)
        ordered.append(place)
        for child in children.get(messages[place].id, ()):
            heapq.heappush(ready, child)
    if len(ordered) < len(messages):
        stuck = min(set(range(len(messages))) - set(ordered))
        raise InvalidRequest(f"Message {stuck + 1} follows itself in a circle.")
    return ordered


def _sentence(problem: ErrorDetails) -> str:
    """What is wrong and where, e.g. "Message 7 has no role." """
    path = list(problem["loc"])
    owner = "The file"
    if path[:1] == ["messages"] and len(path) > 1:
        owner = f"Message {int(path[1]) + 1}"
        path = path[2:]
    name = ".".join(str(part) for part in path)
    match problem["type"]:
        case "missing":
            return f"{owner} has no {name}."
        case "too_long" if name == "messages":
            return f"The file has more than {MOST_MESSAGES:,} messages, which is the limit."
        case "model_type" if not name:
            return f"{owner} is not a JSON object."
        case "literal_error":
            expected = problem["ctx"]["expected"]
            return f"{owner} has the {name} {problem['input']!r:.60}, but it must be {expected}."
        case "value_error":
            return f"{owner} has a wrong {name}: it must be {problem['ctx']['error']}."
        case _:
            return f"{owner} has a wrong {name}: {problem['msg']}."
