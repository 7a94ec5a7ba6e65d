"""What the panel beside the conversation asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import gradio as gr

from chatapp.knowledge_records import Grounding
from chatapp.ui.failures import plainly
from chatapp.ui.handlers import field
from chatapp.ui.shelf import Shelf
from chatapp.ui.sidebar import staff_links
from chatapp.ui.sources import sheet_html
from chatapp.ui.visit import Visit

IsStaff = Callable[[gr.Request], bool]


class SourceHandlers:
    """The sources travel only when their panel is opened: they can be long.

    Args:
        is_staff: whether a request's reader may look after the knowledge.
    """

    def __init__(self, shelf: Shelf, is_staff: IsStaff) -> None:
        self._shelf = shelf
        self._is_staff = is_staff

    @plainly
    async def sheet(self, request: gr.Request, picked: gr.EventData, conversation_id: str) -> str:
        """What one answer leaned on, and why it is as it is."""
        visit = self._shelf.visit(request)
        message_id = field(picked, "id")
        grounding = await self._grounding(visit, conversation_id, message_id)
        return sheet_html(message_id, grounding, visit.words)

    @plainly
    async def staff(self, request: gr.Request) -> str:
        """The way to the staff's pages, for those who may go there."""
        visit = self._shelf.visit(request)
        return staff_links(visit.words) if self._is_staff(request) else ""

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
