"""The page around a chat that knows what a test tells it to know."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import gradio as gr
from fastapi import FastAPI

from chatapp import ui
from chatapp.events import Began, Done, Event, Explained, Flagged, Routed, Sources, Token
from chatapp.flows.adapters_live import LIVE
from chatapp.flows.chat import Chat
from chatapp.knowledge_records import Grounding
from chatapp.records import Sampling
from chatapp.store import Conversations, Database, Messages
from chatapp.store.messages import Ending
from tests.faces.conftest import PERSONAS, SECRET
from tests.fakes import FakeEngine


class KnowingChat(Chat):
    """Its answers bring the grounding a test has scripted, as they would from a search.

    The route and the sources, none cited yet, come first; each flag as soon as the text it is
    about is there; what is cited and the trace at the end, when all of it is kept.
    """

    def __init__(
        self, engine: FakeEngine, conversations: Conversations, messages: Messages
    ) -> None:
        super().__init__(engine, conversations, messages)
        self._store = messages
        self._scripts: deque[Grounding] = deque()

    def know(self, grounding: Grounding) -> None:
        """Script the next answer that is not scripted yet."""
        self._scripts.append(grounding)

    async def reply(
        self,
        owner: str,
        conversation_id: str,
        text: str,
        sampling: Sampling,
        adapter: str = LIVE,
    ) -> AsyncGenerator[Event, None]:
        events = super().reply(owner, conversation_id, text, sampling, adapter)
        grounding = self._scripts.popleft() if self._scripts else None
        answer_id, written, flags = "", "", deque(grounding.flags if grounding else ())
        try:
            async for event in events:
                if isinstance(event, Done) and grounding:
                    self._keep(answer_id, written, event, grounding)
                    yield Sources(grounding.sources)
                    if grounding.trace:
                        yield Explained(grounding.trace)
                yield event
                if isinstance(event, Began) and grounding:
                    answer_id = event.answer_id
                    yield Routed(grounding.route, "public")
                    yield Sources(tuple(replace(s, cited=False) for s in grounding.sources))
                if isinstance(event, Token):
                    written += event.text
                while flags and flags[0].end <= len(written):
                    yield Flagged(flags.popleft())
        finally:
            await events.aclose()

    def _keep(self, answer_id: str, text: str, done: Done, grounding: Grounding) -> None:
        ending = Ending(
            status="complete",
            finish_reason=done.reason,
            usage=done.usage,
            timing=done.timing,
            grounding=grounding,
        )
        self._store.finish(answer_id, text, ending)


def knowing_app(
    database: Database, engine: FakeEngine, staff: Sequence[str] = ()
) -> tuple[FastAPI, KnowingChat]:
    """The page, and the chat to script.

    ``staff``: the languages whose readers are taken for staff.
    """
    conversations, messages = Conversations(database), Messages(database)
    chat = KnowingChat(engine, conversations, messages)
    identity = ui.Identity(SECRET)
    blocks = ui.build_blocks(
        chat,
        conversations,
        messages,
        engine,
        PERSONAS,
        identity.owner_of,
        is_staff=lambda request: request.headers.get("accept-language", "").startswith(
            tuple(staff)
        ),
    )
    app = FastAPI()

    @app.get("/documents/{document_id}")
    async def document(document_id: str, passage: int) -> str:
        return f"The document {document_id} at passage {passage}."

    gr.mount_gradio_app(app, blocks, path="/", **ui.mount_kwargs())
    app.add_middleware(ui.IdentityMiddleware, identity=identity)
    app.add_middleware(ui.PageHeadMiddleware)
    return app, chat
