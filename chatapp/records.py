"""The nouns of this project, as frozen records. Nothing here knows a library or a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from chatapp.errors import InvalidRequest

if TYPE_CHECKING:  # it builds on the records of this file
    from chatapp.knowledge_records import Grounding

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled"]
MessageStatus = Literal["complete", "writing", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn as an engine reads it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen. An engine honours every field or refuses the request.

    Attributes:
        max_tokens: most new tokens to write, at least 1.
        temperature: 0 is greedy decoding; higher is more varied, at most 2.
        top_p: nucleus sampling, keep the likeliest tokens up to this share, in (0, 1].
        top_k: keep only this many likeliest tokens; 0 keeps all.
        repetition_penalty: divides the logits of tokens seen before (CTRL, arXiv:1909.05858);
            1 is off.
        seed: the same seed, prompt and engine give the same text; None draws a new one.
        stop: texts that end the answer; they are never part of it.
    """

    max_tokens: int = 512
    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check("max_tokens", self.max_tokens, self.max_tokens >= 1, "a whole number from 1")
        _check("temperature", self.temperature, 0 <= self.temperature <= 2, "from 0 to 2")
        _check("top_p", self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1")
        _check("top_k", self.top_k, 0 <= self.top_k <= 1_000, "a whole number from 0 to 1000")
        _check(
            "repetition_penalty",
            self.repetition_penalty,
            0.5 <= self.repetition_penalty <= 2,
            "from 0.5 to 2",
        )
        _check(
            "seed",
            self.seed,
            self.seed is None or 0 <= self.seed < 2**31,
            "a whole number from 0 to 2147483647",
        )
        _check(
            "stop",
            list(self.stop),
            len(self.stop) <= 8 and all(self.stop),
            "at most 8 texts, none of them empty",
        )

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken, so that a seed has nothing to do."""
        return self.temperature == 0


def _check(name: str, value: object, good: bool, allowed: str) -> None:
    if not good:
        raise InvalidRequest(f"{name} is {value!r}, but must be {allowed}.", field=name)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one answer."""

    prompt_tokens: int
    completion_tokens: int

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from the moment the engine was asked.

    Attributes:
        queued: until a slot was free.
        first_token: until the first text came; equals ``total`` when none did.
        total: until the answer ended.
    """

    queued: float
    first_token: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What is answering, as the log line and the page's footer say it.

    ``parameters``: how many weights the model has, about; None where nobody can tell.
    """

    engine: str
    model: str
    quantization: str
    device: str
    context_length: int
    parameters: int | None = None

    def __str__(self) -> str:
        return (
            f"{self.engine} · {self.model} · {self.quantization} · {self.device} · "
            f"{self.context_length:,} tokens of context"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One file under prompts/: a system prompt and how to speak it."""

    id: str
    name: str
    description: str
    system_prompt: str
    language: str = "en"
    sampling: Sampling = field(default_factory=Sampling)
    collection: str | None = None
    """The knowledge it answers from; None for a persona that answers by itself."""
    starters: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """The persona's name in other interface languages, by language code."""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """The description in other interface languages."""
    translated_starters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The starters in other interface languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A tree of messages, one branch of which is shown.

    Attributes:
        owner: the browser (later: the account) it belongs to.
        leaf_id: the last message of the branch being shown; None while empty.
        deleted_at: set while a deletion can still be undone.
    """

    id: str
    owner: str
    title: str
    persona_id: str
    system_prompt: str
    leaf_id: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation, as the database keeps it.

    Attributes:
        parent_id: the message it answers or follows; None for a first question. Messages with
            the same parent are branches of one another.
        status: ``writing`` while an answer grows, then how it ended.
        error: the sentence shown when ``status`` is ``failed``.
        model, adapter: what wrote it; None for a person's message.
        dropped_turns: how many of the oldest turns did not fit into the context.
        liked: a reader's verdict; None when there is none.
        grounding: what an answer leaned on; None where there was no knowledge.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    text: str
    status: MessageStatus
    created_at: datetime
    model: str | None = None
    adapter: str | None = None
    usage: Usage | None = None
    timing: Timing | None = None
    finish_reason: FinishReason | None = None
    dropped_turns: int = 0
    error: str | None = None
    error_code: str | None = None
    liked: bool | None = None
    grounding: Grounding | None = None
