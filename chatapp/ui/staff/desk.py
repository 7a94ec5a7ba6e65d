"""What every part of the Knowledge page reads: the collections, and the one that is shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import tzinfo

import gradio as gr

from chatapp.knowledge_records import Collection
from chatapp.ui.identity import cookies_of
from chatapp.ui.sidebar import timezone_of
from chatapp.ui.staff.collections_html import collection_list, head
from chatapp.ui.staff.documents_html import Listing, documents_html
from chatapp.ui.staff.faq_html import faq_html
from chatapp.ui.staff.pace import Pace
from chatapp.ui.staff.rooms import StaffRooms
from chatapp.ui.staff.screen import StaffScreen
from chatapp.ui.staff.texts import StaffWords
from chatapp.ui.visit import words_of

PAGE = 100
"""Documents that are drawn at once."""
MOST_UNANSWERED = 500


@dataclass(frozen=True, slots=True)
class StaffVisit:
    """One request's reader."""

    words: StaffWords
    zone: tzinfo


class Desk:
    """Reads; the handlers beside it change."""

    def __init__(self, rooms: StaffRooms) -> None:
        self.rooms = rooms
        self.pace = Pace()
        self._waiting: dict[str, int] = {}

    def visit(self, request: gr.Request) -> StaffVisit:
        """Who asks. That they are staff has been checked before any handler runs."""
        zone = timezone_of(cookies_of(request).get("chatapp_zone"))
        return StaffVisit(StaffWords(words_of(request).language), zone)

    def note_unanswered(self, collection_id: str, count: int) -> None:
        """So many questions wait in a collection: its tab says so until they are counted again."""
        self._waiting[collection_id] = count

    async def collection(self, collection_id: str) -> Collection:
        """The collection.

        Raises:
            NotFound: it is gone.
        """
        return await asyncio.to_thread(self.rooms.collections.by_id, collection_id)

    async def frame(self, visit: StaffVisit, collection_id: str) -> StaffScreen:
        """The list beside and the head above, with this collection shown."""
        every = await asyncio.to_thread(self.rooms.collections.list)
        shown = next((one for one in every if one.id == collection_id), None)
        return StaffScreen(
            collections=collection_list(every, collection_id, visit.words),
            head=self._head(visit, shown) if shown else "",
        )

    async def everything(self, visit: StaffVisit, collection: Collection) -> StaffScreen:
        """A collection from its beginning: nothing searched, nothing tried."""
        await self._count_unanswered(collection.id)
        frame = await self.frame(visit, collection.id)
        return StaffScreen(
            current=collection.id,
            collections=frame.collections,
            head=frame.head,
            documents=await self.documents(visit, collection.id),
            faq=await self.faq(visit, collection.id),
            hits="",
            groups="",
        )

    async def documents(
        self, visit: StaffVisit, collection_id: str, search: str = "", limit: int = PAGE
    ) -> str:
        """The table of documents, with the files on their way in."""

        def read() -> Listing:
            rooms = self.rooms
            found = rooms.documents.list(collection_id, search, limit + 1)
            files = rooms.files.list(collection_id)
            empty = not found and not search and not rooms.faqs.entries(collection_id)
            return Listing(
                collection_id=collection_id,
                documents=found[:limit],
                more=len(found) > limit,
                search=search,
                files=files,
                can_load_demo=empty,
            )

        listing = await asyncio.to_thread(read)
        self.pace.watch(listing.files)
        return documents_html(listing, self.pace, visit.words, visit.zone)

    async def faq(self, visit: StaffVisit, collection_id: str, search: str = "") -> str:
        """The table of FAQ entries."""
        entries = await asyncio.to_thread(self.rooms.faqs.entries, collection_id, search)
        return faq_html(collection_id, entries, search, visit.words)

    def _head(self, visit: StaffVisit, collection: Collection) -> str:
        return head(
            collection,
            visit.words,
            answers=collection.name in self.rooms.answering(),
            unanswered=self._waiting.get(collection.id, 0),
        )

    async def _count_unanswered(self, collection_id: str) -> None:
        waiting = await asyncio.to_thread(
            self.rooms.unanswered.list, collection_id, MOST_UNANSWERED
        )
        self.note_unanswered(collection_id, len(waiting))
