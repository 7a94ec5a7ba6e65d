"""The FAQ entries of a collection: looking through them, writing, deleting."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import gradio as gr

from chatapp.knowledge.languages import language_of
from chatapp.ui.failures import plainly
from chatapp.ui.staff.desk import Desk, StaffVisit
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import text, texts
from chatapp.ui.staff.screen import StaffScreen


class FaqHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._faqs = desk.rooms.faqs

    @plainly
    async def search(self, request: gr.Request, search: str, current: str) -> str:
        """The entries that say so."""
        return await self._desk.faq(self._desk.visit(request), current, search)

    @plainly
    async def reload(self, request: gr.Request, current: str, search: str) -> list[object]:
        """The table once more: a file was imported."""
        return (await self._screen(self._desk.visit(request), current, search)).values()

    @plainly
    async def save(
        self, request: gr.Request, picked: gr.EventData, current: str, search: str
    ) -> list[object]:
        """Keep an entry, new or changed; the chat answers with it from now on."""
        visit = self._desk.visit(request)
        id_, answer = text(picked, "id"), text(picked, "answer").strip()
        questions = [one.strip() for one in texts(picked, "questions") if one.strip()]
        language = text(picked, "language").strip() or language_of(" ".join([answer, *questions]))
        tags = [one.strip() for one in texts(picked, "tags") if one.strip()]
        if id_:
            await asyncio.to_thread(self._faqs.update, id_, questions, answer, language, tags)
        else:
            await asyncio.to_thread(self._faqs.add, current, questions, answer, language, tags)
        told = notice(visit.words("entry_saved"), visit.words)
        return replace(await self._screen(visit, current, search), notice=told).values()

    @plainly
    async def delete(
        self, request: gr.Request, picked: gr.EventData, current: str, search: str
    ) -> list[object]:
        """Take an entry away, and offer to take that back."""
        visit = self._desk.visit(request)
        ids = texts(picked, "ids")
        entry = await asyncio.to_thread(self._faqs.get, ids[0]) if ids else None
        await asyncio.to_thread(self._faqs.delete, ids)
        told = notice(
            visit.words("deleted", title=entry.questions[0] if entry else ""),
            visit.words,
            undo="restore_entries",
            ids=ids,
        )
        return replace(await self._screen(visit, current, search), notice=told).values()

    @plainly
    async def restore(
        self, request: gr.Request, picked: gr.EventData, current: str, search: str
    ) -> list[object]:
        """Take a deletion back."""
        visit = self._desk.visit(request)
        await asyncio.to_thread(self._faqs.restore, texts(picked, "ids"))
        return replace(await self._screen(visit, current, search), notice="").values()

    async def _screen(self, visit: StaffVisit, current: str, search: str) -> StaffScreen:
        frame = await self._desk.frame(visit, current)
        return replace(frame, faq=await self._desk.faq(visit, current, search))
