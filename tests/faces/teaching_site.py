"""The chat as those who teach it see it: real stores, a fake engine, and adapters by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from chatapp import ui
from chatapp.errors import NotFound
from chatapp.flows.answering import Answering
from chatapp.flows.chat import Chat
from chatapp.flows.comparing import Comparing
from chatapp.flows.feedback import Feedback
from chatapp.metrics import Metrics
from chatapp.records import Persona
from chatapp.store import (
    Conversations,
    Corrections,
    Database,
    MessageLabels,
    Messages,
    Remarks,
    Votes,
)
from chatapp.training_records import Adapter, MessageLabel
from chatapp.ui.identity import cookies_of
from tests.fakes import FakeEngine, Pause

SECRET = "a secret of the tests, long enough"


class NamedAdapters:
    """Adapters that are only names; the first is live."""

    def __init__(self, engine: FakeEngine, *names: str) -> None:
        self._engine = engine
        self.names = names
        self.slow: Pause | None = None
        """Where the next one that is loaded waits for the test."""

    def list(self) -> Sequence[Adapter]:
        return [
            Adapter(
                id=name,
                name=name,
                slot="chat",
                kind="lora",
                folder=f"/adapters/{name}",
                base_model="fake-model",
                base_hash="",
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
                live=name == self.names[0],
            )
            for name in self.names
        ]

    async def loading(self) -> None:
        if self.slow is not None:
            await self.slow.hold()

    async def pick(self, choice: str) -> str | None:
        if choice == "base":
            return None
        if choice == "live" and not self.names:
            return None
        name = self.names[0] if choice == "live" else choice
        if name not in self.names:
            raise NotFound(f"There is no adapter named {name}.")
        await self.loading()
        await self._engine.load_adapter(name, Path("somewhere"))
        return name


class KeywordLabels:
    """Labels a question at once: whoever writes of returns wants a refund."""

    def __init__(self, labels: MessageLabels) -> None:
        self._labels = labels

    def notice(self, message_id: str, text: str) -> None:
        if "return" in text:
            said = MessageLabel(
                purpose="intent", label="refund", confidence=0.93, adapter="intents-1"
            )
            self._labels.put(message_id, [said])


@dataclass(frozen=True)
class TeachingSite:
    """The app, and its insides at hand."""

    app: FastAPI
    engine: FakeEngine
    conversations: Conversations
    remarks: Remarks
    corrections: Corrections
    feedback: Feedback
    votes: Votes
    messages: Messages
    adapters: NamedAdapters


def is_staff(request: gr.Request) -> bool:
    """Staff have a cookie that says so; the real gate has tests of its own."""
    return cookies_of(request).get("role") == "staff"


def teaching_site(
    database: Database,
    engine: FakeEngine,
    personas: dict[str, Persona],
    names: Sequence[str] = ("returns-2", "returns-1"),
) -> TeachingSite:
    """The chat page alone, mounted as the app mounts it."""
    conversations, messages = Conversations(database), Messages(database)
    remarks, corrections, votes = Remarks(database), Corrections(database), Votes(database)
    labels = MessageLabels(database)
    feedback = Feedback(conversations, messages, remarks, corrections)
    adapters = NamedAdapters(engine, *names)
    identity = ui.Identity(SECRET)
    blocks = ui.build_blocks(
        Chat(
            engine,
            conversations,
            messages,
            adapters=adapters,
            on_question=KeywordLabels(labels).notice,
        ),
        conversations,
        messages,
        engine,
        personas,
        identity.owner_of,
        is_staff,
        ui.Learning(
            feedback=feedback,
            labels=labels,
            adapters=adapters.list,
            comparing=Comparing(Answering(engine, Metrics()), adapters, votes, coin=lambda: True),
        ),
    )
    app = FastAPI()
    gr.mount_gradio_app(app, blocks, path="/", **ui.mount_kwargs())
    app.add_middleware(ui.IdentityMiddleware, identity=identity)
    app.add_middleware(ui.PageHeadMiddleware)
    return TeachingSite(
        app, engine, conversations, remarks, corrections, feedback, votes, messages, adapters
    )
