"""Answers that are being written right now, and the tabs that watch them.

An answer is drawn by one background task and followed by any number of page events. So a reader
may look at another conversation, or reload, while it grows; once the last tab that watched it is
gone for ``GRACE`` seconds, the engine is told to stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from chatapp.events import (
    Began,
    Done,
    Event,
    Explained,
    Failed,
    Flagged,
    Queued,
    Routed,
    Sources,
    Token,
    Trimmed,
)
from chatapp.flows.answering import as_failed
from chatapp.flows.chat import Chat
from chatapp.knowledge_records import Grounding

GRACE: Final = 4.0
"""Seconds a reload may take before an unwatched answer is stopped."""

Phase = Literal["starting", "queued", "thinking", "writing", "ended"]


@dataclass(eq=False)
class LiveAnswer:
    """One answer as far as it has come.

    Attributes:
        ahead: requests in front of it while ``phase`` is ``queued``.
        failure: why it could not even begin; later failures are in the database.
        grounding: its route, sources and flags so far; None without knowledge.
        announced: whether a notice says what it waits for.
    """

    owner: str
    conversation_id: str
    answer_id: str | None = None
    text: str = ""
    phase: Phase = "starting"
    ahead: int = 0
    dropped_turns: int = 0
    failure: Failed | None = None
    grounding: Grounding | None = None
    announced: bool = False
    tabs: set[str] = field(default_factory=set)
    task: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.phase == "ended"

    def take(self, event: Event) -> None:
        """Apply one event and wake everybody who follows."""
        match event:
            case Began():
                self.answer_id = event.answer_id
                self.phase = "thinking"
            case Trimmed():
                self.dropped_turns = event.dropped_turns
            case Routed() | Sources() | Flagged() | Explained():
                self.grounding = _with(self.grounding, event)
            case Queued():
                self.ahead = event.ahead
                self.phase = "queued" if event.ahead else "thinking"
            case Token():
                self.text += event.text
                self.phase = "writing"
            case Done():
                self.phase = "ended"
            case Failed():
                self.failure = event
                self.phase = "ended"
        self.wake()

    def wake(self) -> None:
        """Let followers look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changes(self) -> AsyncIterator[None]:
        """Yields now and after every change, until the answer has ended."""
        while True:
            changed = self._changed
            yield
            if self.ended:
                return
            await changed.wait()


def _with(
    grounding: Grounding | None, event: Routed | Sources | Flagged | Explained
) -> Grounding | None:
    """The grounding after one more event; without a route there is none."""
    if isinstance(event, Routed):
        return Grounding(route=event.route) if event.collection else None
    if grounding is None:
        return None
    match event:
        case Sources():
            return replace(grounding, sources=event.sources)
        case Flagged():
            return replace(grounding, flags=(*grounding.flags, event.flag))
        case Explained():
            return replace(grounding, trace=event.trace)


class LiveAnswers:
    """All answers that are being written, by conversation."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._by_conversation: dict[str, LiveAnswer] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def find(self, owner: str, conversation_id: str) -> LiveAnswer | None:
        """The answer growing in this owner's conversation."""
        live = self._by_conversation.get(conversation_id)
        if live is None or live.ended or live.owner != owner:
            return None
        return live

    def start(
        self, owner: str, conversation_id: str, events: AsyncGenerator[Event, None]
    ) -> LiveAnswer:
        """Draw ``events`` in the background."""
        live = LiveAnswer(owner=owner, conversation_id=conversation_id)
        self._by_conversation[conversation_id] = live
        live.task = asyncio.create_task(self._draw(live, events))
        return live

    def stop(self, owner: str, conversation_id: str) -> bool:
        """End the answer of this owner's conversation; False if none is being written."""
        live = self.find(owner, conversation_id)
        return live is not None and self._stop(live)

    def leave(self, tab: str) -> None:
        """A tab is gone: what nobody else watches is stopped unless someone comes back."""
        for live in list(self._by_conversation.values()):
            if tab in live.tabs:
                live.tabs.discard(tab)
                leaving = asyncio.create_task(self._stop_when_alone(live))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    async def _stop_when_alone(self, live: LiveAnswer) -> None:
        await asyncio.sleep(GRACE)
        if not live.tabs:
            self._stop(live)

    def _stop(self, live: LiveAnswer) -> bool:
        if live.ended:
            return False
        if live.answer_id is not None and self._chat.stop(live.answer_id):
            return True
        return live.task is not None and live.task.cancel()

    async def _draw(self, live: LiveAnswer, events: AsyncGenerator[Event, None]) -> None:
        try:
            async for event in events:
                live.take(event)
        except Exception as error:  # noqa: BLE001  # told to the reader, logged where unknown
            live.take(as_failed(error))
        finally:
            await events.aclose()
            live.phase = "ended"
            live.wake()
            if self._by_conversation.get(live.conversation_id) is live:
                del self._by_conversation[live.conversation_id]
