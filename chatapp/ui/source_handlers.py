"""What the panel beside the conversation asks for."""

from __future__ import annotations

import asyncio

import gradio as gr

from chatapp.knowledge_records import Grounding
from chatapp.ui.failures import plainly
from chatapp.ui.handlers import field
from chatapp.ui.shelf import Shelf
from chatapp.ui.sources import sheet_html
from chatapp.ui.visit import Visit


class SourceHandlers:
    """The sources travel only when their panel is opened: they can be long."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @plainly
    async def sheet(self, request: gr.Request, picked: gr.EventData, conversation_id: str) -> str:
        """What one answer leaned on, and why it is as it is."""
        visit = self._shelf.visit(request)
        message_id = field(picked, "id")
        grounding = await self._grounding(visit, conversation_id, message_id)
        return sheet_html(message_id, grounding, visit.words)

    async def _grounding(
        self, visit: Visit, conversation_id: str, message_id: str
    ) -> Grounding | None:
        live = self._shelf.live.find(visit.owner, conversation_id)
        if live is not None and live.answer_id == message_id:
            return live.grounding
        message = await asyncio.to_thread(
            self._shelf.rooms.conversations.message, visit.owner, conversation_id, message_id
        )
        return message.grounding
