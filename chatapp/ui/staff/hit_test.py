"""Trying a search: the decision the chat would make, with everything it is made of."""

from __future__ import annotations

import asyncio

import gradio as gr

from chatapp.flows.routing import Decision
from chatapp.knowledge_records import Collection, Found
from chatapp.ui.failures import plainly
from chatapp.ui.staff.desk import Desk, StaffVisit
from chatapp.ui.staff.hits_html import hits_html, thresholds_html
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import number
from chatapp.ui.staff.screen import StaffScreen


class HitTestHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rooms = desk.rooms

    @plainly
    async def run(self, request: gr.Request, question: str, current: str) -> str:
        """What the chat would do with this question."""
        return await self._hits(self._desk.visit(request), question, current)

    @plainly
    async def set_thresholds(
        self, request: gr.Request, picked: gr.EventData, question: str, current: str
    ) -> list[object]:
        """Move the lines between answering and refusing; try the question again."""
        visit = self._desk.visit(request)
        await asyncio.to_thread(
            self._rooms.collections.set_thresholds,
            current,
            number(picked, "documents"),
            number(picked, "faq"),
        )
        return StaffScreen(
            hits=await self._hits(visit, question, current),
            notice=notice(visit.words("thresholds_saved"), visit.words),
        ).values()

    async def _hits(self, visit: StaffVisit, question: str, current: str) -> str:
        collection = await self._desk.collection(current)
        form = thresholds_html(collection, self._rooms.thresholds, visit.words)
        if not question.strip():
            return form
        decision, beside = await asyncio.to_thread(self._decide, question.strip(), collection)
        return hits_html(decision, beside, visit.words) + form

    def _decide(self, question: str, collection: Collection) -> tuple[Decision, Found | None]:
        rooms = self._rooms
        decision = rooms.router.decide(question, (), collection)
        if decision.found is not None or rooms.search.is_empty(collection):
            return decision, None
        return decision, rooms.search.search(collection, decision.query)
