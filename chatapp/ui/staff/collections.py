"""Choosing, making, renaming and deleting collections."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import gradio as gr

from chatapp.knowledge_records import Collection
from chatapp.ui.failures import plainly
from chatapp.ui.staff.desk import Desk, StaffVisit
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import text, texts


class CollectionHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._collections = desk.rooms.collections

    @plainly
    async def arrive(self, request: gr.Request, name: str | None) -> list[object]:
        """The page was opened: the collection its address names, or the first."""
        visit = self._desk.visit(request)
        every = await asyncio.to_thread(self._collections.list)
        return await self._show(visit, every, name=name or "")

    @plainly
    async def open(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Another collection was chosen."""
        visit = self._desk.visit(request)
        chosen = await self._desk.collection(text(picked, "id"))
        return (await self._desk.everything(visit, chosen)).values()

    @plainly
    async def create(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Make a collection and show it."""
        visit = self._desk.visit(request)
        made = await asyncio.to_thread(self._collections.create, text(picked, "name"))
        screen = await self._desk.everything(visit, made)
        told = notice(visit.words("collection_made", name=made.name), visit.words)
        return replace(screen, notice=told).values()

    @plainly
    async def rename(self, request: gr.Request, picked: gr.EventData, current: str) -> list[object]:
        """Give the shown collection another name."""
        visit = self._desk.visit(request)
        await asyncio.to_thread(self._collections.rename, current, text(picked, "name"))
        return (await self._desk.frame(visit, current)).values()

    @plainly
    async def remove(self, request: gr.Request, current: str) -> list[object]:
        """Delete the shown collection, and offer to take that back."""
        visit = self._desk.visit(request)
        gone = await self._desk.collection(current)
        await asyncio.to_thread(self._collections.delete, gone.id)
        every = await asyncio.to_thread(self._collections.list)
        told = notice(
            visit.words("collection_deleted", name=gone.name),
            visit.words,
            undo="bring_back",
            ids=[gone.id],
        )
        return await self._show(visit, every, told=told)

    @plainly
    async def bring_back(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take a deletion back."""
        visit = self._desk.visit(request)
        (id_,) = texts(picked, "ids")[:1] or [""]
        await asyncio.to_thread(self._collections.restore, id_)
        screen = await self._desk.everything(visit, await self._desk.collection(id_))
        return replace(screen, notice="").values()

    async def _show(
        self,
        visit: StaffVisit,
        every: list[Collection],
        *,
        name: str = "",
        told: str | None = None,
    ) -> list[object]:
        shown = next((one for one in every if one.name == name.lower()), None)
        shown = shown or next(iter(every), None)
        if shown is None:
            screen = await self._desk.frame(visit, "")
            blank = replace(screen, current="", documents="", faq="", hits="", groups="")
            return replace(blank, notice=told).values()
        screen = await self._desk.everything(visit, shown)
        return replace(screen, notice=told).values()
