"""Questions that could not be answered: seeing them, drafting an answer, letting them go."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import gradio as gr

from chatapp.errors import NotFound
from chatapp.flows.drafting import Draft
from chatapp.flows.unanswered import Group, grouped
from chatapp.ui.failures import plainly
from chatapp.ui.staff.desk import MOST_UNANSWERED, Desk, StaffVisit
from chatapp.ui.staff.figures import counted
from chatapp.ui.staff.groups_html import groups_html
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import text, texts
from chatapp.ui.staff.screen import StaffScreen

_UNDOABLE = 20
"""Dismissals that can still be taken back."""


class UnansweredHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rooms = desk.rooms
        self._dismissed: OrderedDict[str, tuple[str, Sequence[tuple[str, str]]]] = OrderedDict()

    @plainly
    async def show(self, request: gr.Request, current: str) -> list[object]:
        """The questions of a collection, grouped."""
        return (await self._screen(self._desk.visit(request), current)).values()

    @plainly
    async def draft(self, request: gr.Request, picked: gr.EventData, current: str) -> list[object]:
        """Write an entry for a group, for approval."""
        visit = self._desk.visit(request)
        groups = await self._groups(current)
        group = next((one for one in groups if one.id == text(picked, "id")), None)
        if group is None:
            raise NotFound("These questions are no longer here. Reload the page.")
        collection = await self._desk.collection(current)
        made = await self._rooms.draft(collection, group.questions)
        return (await self._screen(visit, current, groups, {group.id: made})).values()

    @plainly
    async def dismiss(
        self, request: gr.Request, picked: gr.EventData, current: str
    ) -> list[object]:
        """Let a group go, and offer to take that back."""
        visit = self._desk.visit(request)
        gone = await self._take_away(current, texts(picked, "ids"))
        told = notice(
            counted(visit.words, "dismissed", len(self._dismissed[gone][1])),
            visit.words,
            undo="undismiss",
            ids=[gone],
        )
        return replace(await self._screen(visit, current), notice=told).values()

    @plainly
    async def undismiss(
        self, request: gr.Request, picked: gr.EventData, current: str
    ) -> list[object]:
        """Take a dismissal back."""
        visit = self._desk.visit(request)
        for key in texts(picked, "ids"):
            collection_id, questions = self._dismissed.pop(key, (current, ()))
            for question, note in questions:
                await asyncio.to_thread(
                    self._rooms.unanswered.add, collection_id, question, None, note
                )
        return replace(await self._screen(visit, current), notice="").values()

    @plainly
    async def answered(
        self, request: gr.Request, picked: gr.EventData, current: str
    ) -> list[object]:
        """An entry was approved for these questions: they are not open any more."""
        visit = self._desk.visit(request)
        await self._take_away(current, texts(picked, "unanswered"))
        return (await self._screen(visit, current)).values()

    async def _take_away(self, current: str, ids: list[str]) -> str:
        waiting = await asyncio.to_thread(self._rooms.unanswered.list, current, MOST_UNANSWERED)
        gone = [one for one in reversed(waiting) if one.id in set(ids)]
        await asyncio.to_thread(self._rooms.unanswered.dismiss, [one.id for one in gone])
        key = gone[-1].id if gone else ""
        self._dismissed[key] = (current, [(one.question, one.note) for one in gone])
        if len(self._dismissed) > _UNDOABLE:
            self._dismissed.popitem(last=False)
        return key

    async def _groups(self, collection_id: str) -> list[Group]:
        waiting = await asyncio.to_thread(
            self._rooms.unanswered.list, collection_id, MOST_UNANSWERED
        )
        self._desk.note_unanswered(collection_id, len(waiting))
        return await asyncio.to_thread(grouped, waiting, self._rooms.embedder())

    async def _screen(
        self,
        visit: StaffVisit,
        current: str,
        groups: list[Group] | None = None,
        drafts: dict[str, Draft] | None = None,
    ) -> StaffScreen:
        if groups is None:
            groups = await self._groups(current)
        frame = await self._desk.frame(visit, current)
        drawn = groups_html(current, groups, visit.words, visit.zone, drafts)
        return replace(frame, groups=drawn)
