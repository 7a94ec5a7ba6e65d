"""Thumbs, and what a person says about an answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import gradio as gr

from chatapp.errors import InvalidRequest
from chatapp.feedback_records import DECISIONS
from chatapp.flows.feedback import Feedback
from chatapp.ui import render
from chatapp.ui.failures import plainly
from chatapp.ui.handlers import field
from chatapp.ui.screen import Screen
from chatapp.ui.shelf import Shelf
from chatapp.ui.visit import Visit


class FeedbackHandlers:
    """Each public method is one thing a reader can say about an answer."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @plainly
    async def like(
        self, request: gr.Request, picked: gr.EventData, conversation_id: str
    ) -> list[object]:
        """Keep a verdict on an answer; the same one again takes it back."""
        visit = self._shelf.visit(request)
        message_id, verdict = field(picked, "id"), field(picked, "verdict") == "like"
        thread = await self._shelf.thread(visit, conversation_id)
        before = next((m.liked for m in thread.messages if m.id == message_id), None)
        liked = None if before is verdict else verdict
        remark = thread.remarks.get(message_id)
        if remark is not None and remark.status == "open" and liked is not False:
            # Whoever changes their mind has nothing left for a reviewer.
            with suppress(InvalidRequest):
                await asyncio.to_thread(self._feedback().withdraw, visit.owner, message_id)
        await asyncio.to_thread(self._shelf.rooms.messages.like, visit.owner, message_id, liked)
        return await self._screen(visit, conversation_id)

    @plainly
    async def give(
        self, request: gr.Request, picked: gr.EventData, conversation_id: str
    ) -> list[object]:
        """Queue what is wrong with an answer, and say thanks."""
        visit = self._shelf.visit(request)
        await asyncio.to_thread(
            self._feedback().give,
            visit.owner,
            conversation_id,
            field(picked, "id"),
            field(picked, "reason"),
            field(picked, "comment"),
            field(picked, "better"),
        )
        return await self._screen(visit, conversation_id, said=visit.words("feedback_thanks"))

    @plainly
    async def withdraw(
        self, request: gr.Request, picked: gr.EventData, conversation_id: str
    ) -> list[object]:
        """Take a remark back."""
        visit = self._shelf.visit(request)
        message_id = field(picked, "id")
        remark = (await self._shelf.thread(visit, conversation_id)).remarks.get(message_id)
        if remark is not None and remark.status in DECISIONS:
            raise InvalidRequest("The team has already reviewed this feedback.")
        await asyncio.to_thread(self._feedback().withdraw, visit.owner, message_id)
        return await self._screen(visit, conversation_id, said=visit.words("feedback_withdrawn"))

    async def _screen(self, visit: Visit, conversation_id: str, said: str = "") -> list[object]:
        thread = await self._shelf.thread(visit, conversation_id)
        return Screen(turns=render.turns_json(thread, visit.words, said=said)).values()

    def _feedback(self) -> Feedback:
        feedback = self._shelf.rooms.learning.feedback
        if feedback is None:
            raise InvalidRequest("This server takes no feedback.")
        return feedback
