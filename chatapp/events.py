"""What an answer is made of, in the order it happens.

An engine yields ``Queued* Token* Done``. The chat flow adds ``Began`` and ``Trimmed`` in front and
turns exceptions into a last ``Failed``. Where there is knowledge, ``Routed`` and ``Sources`` come
before the text, ``Flagged`` after the sentence it is about, and ``Sources`` (now with what is
cited) and ``Explained`` before ``Done``. The page, the HTTP API and the store read the same stream.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatapp.knowledge_records import Flag, Route, Source, Trace
from chatapp.records import FinishReason, Timing, Usage


@dataclass(frozen=True, slots=True)
class Began:
    """The question is stored and an empty answer is waiting for its text."""

    conversation_id: str
    question_id: str
    answer_id: str


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The oldest turns were left out because the conversation outgrew the context."""

    dropped_turns: int


@dataclass(frozen=True, slots=True)
class Routed:
    """Where the answer will come from."""

    route: Route
    collection: str


@dataclass(frozen=True, slots=True)
class Sources:
    """What the answer leans on; a later one replaces the earlier."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Flagged:
    """A part of the text so far has no support in the sources."""

    flag: Flag


@dataclass(frozen=True, slots=True)
class Explained:
    """The whole trace of the answer."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class Queued:
    """Waiting for a slot, with ``ahead`` requests in front. ``ahead == 0``: it is our turn now,
    the model is reading the prompt."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Token:
    """The next piece of text: whole characters, never half of one."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The answer ended by itself, by its length, or because somebody stopped it."""

    reason: FinishReason
    usage: Usage
    timing: Timing


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer could not be finished. What came before stays valid.

    Attributes:
        field: the field of the request that is to blame, if it is one.
    """

    code: str
    sentence: str
    retryable: bool
    field: str | None = None


EngineEvent = Queued | Token | Done
Event = Began | Trimmed | Routed | Sources | Flagged | Explained | Queued | Token | Done | Failed
