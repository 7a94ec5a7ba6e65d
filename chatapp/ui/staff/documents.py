"""The documents of a collection: looking through them, adding, deleting, stopping."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import gradio as gr

from chatapp.errors import InvalidRequest
from chatapp.ui.failures import plainly
from chatapp.ui.staff.desk import PAGE, Desk, StaffVisit
from chatapp.ui.staff.figures import counted
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import number, text, texts
from chatapp.ui.staff.screen import StaffScreen

_MOST_SHOWN = 10_000


class DocumentHandlers:
    """Each public method is one thing a reader can ask for. Files come in by HTTP, not here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rooms = desk.rooms

    @plainly
    async def search(self, request: gr.Request, search: str, current: str) -> str:
        """The documents whose name or title says so."""
        return await self._desk.documents(self._desk.visit(request), current, search)

    @plainly
    async def refresh(
        self, request: gr.Request, picked: gr.EventData, current: str, search: str
    ) -> list[object]:
        """How far the files came; also further rows of a long table."""
        visit = self._desk.visit(request)
        limit = min(int(number(picked, "limit") or PAGE), _MOST_SHOWN)
        return (await self._screen(visit, current, search, limit)).values()

    @plainly
    async def delete(
        self, request: gr.Request, picked: gr.EventData, current: str, search: str
    ) -> list[object]:
        """Hide documents from the next answer on, and offer to take that back."""
        visit = self._desk.visit(request)
        ids = texts(picked, "ids")
        if len(ids) == 1:
            gone = await asyncio.to_thread(self._rooms.documents.get, ids[0])
            told = visit.words("deleted", title=gone.title or gone.name)
        else:
            told = counted(visit.words, "deleted_documents", len(ids))
        await asyncio.to_thread(self._rooms.documents.delete, ids)
        screen = await self._screen(visit, current, search)
        bar = notice(told, visit.words, undo="restore_documents", ids=ids)
        return replace(screen, notice=bar).values()

    @plainly
    async def restore(
        self, request: gr.Request, picked: gr.EventData, current: str, search: str
    ) -> list[object]:
        """Take a deletion back."""
        visit = self._desk.visit(request)
        await asyncio.to_thread(self._rooms.documents.restore, texts(picked, "ids"))
        return replace(await self._screen(visit, current, search), notice="").values()

    @plainly
    async def paste(
        self, request: gr.Request, picked: gr.EventData, current: str, search: str
    ) -> list[object]:
        """A pasted text becomes a document."""
        visit = self._desk.visit(request)
        title, content = text(picked, "title").strip(), text(picked, "text")
        if not title or not content.strip():
            raise InvalidRequest("A pasted document needs a title and a text.")
        await asyncio.to_thread(self._rooms.ingest.add_text, current, title, content)
        return (await self._screen(visit, current, search)).values()

    @plainly
    async def stop(self, request: gr.Request, current: str, search: str) -> list[object]:
        """Take back what is not read yet; what is, stays."""
        visit = self._desk.visit(request)
        files = await asyncio.to_thread(self._rooms.files.list, current)
        unfinished = [file for file in files if file.status in ("queued", "working")]
        for batch in dict.fromkeys(file.batch_id for file in unfinished):
            await asyncio.to_thread(self._rooms.ingest.stop, batch)
        return (await self._screen(visit, current, search)).values()

    @plainly
    async def clear(self, request: gr.Request, current: str, search: str) -> list[object]:
        """Forget how the last files ended."""
        visit = self._desk.visit(request)
        await asyncio.to_thread(self._rooms.files.clear_finished, current)
        return (await self._screen(visit, current, search)).values()

    @plainly
    async def load_demo(self, request: gr.Request, current: str) -> list[object]:
        """Fill an empty collection with the demo."""
        visit = self._desk.visit(request)
        collection = await self._desk.collection(current)
        await asyncio.to_thread(self._rooms.load_demo, collection.name)
        screen = await self._screen(visit, current, "")
        return replace(screen, faq=await self._desk.faq(visit, current)).values()

    async def _screen(
        self, visit: StaffVisit, current: str, search: str, limit: int = PAGE
    ) -> StaffScreen:
        frame = await self._desk.frame(visit, current)
        listed = await self._desk.documents(visit, current, search, limit)
        return replace(frame, documents=listed)
