"""Step 4 and the history: looking behind the numbers, going live, rolling back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import gradio as gr

from chatapp.errors import NotFound
from chatapp.training_records import ClassifyReport
from chatapp.ui.failures import plainly
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import number, text, texts
from chatapp.ui.teach import chosen
from chatapp.ui.teach.desk import TeachDesk, TeachVisit
from chatapp.ui.teach.labels_html import cell_html
from chatapp.ui.teach.result_html import gate_html
from chatapp.ui.teach.screen import TeachScreen


class ResultHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, desk: TeachDesk) -> None:
        self._desk = desk
        self._adapters = desk.rooms.adapters

    # ---- behind the numbers ----
    @plainly
    async def cell(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """The examples behind a cell of the matrix."""
        visit = self._desk.visit(request)
        folder = await asyncio.to_thread(self._desk.teaching.folder, text(picked, "run"))
        report = await asyncio.to_thread(lambda: folder.report)
        if not isinstance(report, ClassifyReport):
            raise NotFound("This run has no such report. Reload the page.")
        shown = cell_html(report, text(picked, "true"), text(picked, "said"), visit.words)
        return TeachScreen(cell=shown).values()

    @plainly
    async def relabel(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Give an example another label, and offer to take that back."""
        visit = self._desk.visit(request)
        dataset_id, label = text(picked, "data"), text(picked, "label")
        row = int(number(picked, "row") or 0)
        await self._relabelled(dataset_id, row, label)
        told = notice(
            visit.words("relabelled", row=row, label=label),
            visit.words,
            undo="relabel_back",
            ids=[dataset_id, str(row), text(picked, "before")],
        )
        return TeachScreen(notice=told).values()

    @plainly
    async def relabel_back(self, _request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take that back."""
        dataset_id, row, label = [*texts(picked, "ids"), "", "0", ""][:3]
        await self._relabelled(dataset_id, int(row) if row.isdigit() else 0, label)
        return TeachScreen(notice="").values()

    async def _relabelled(self, dataset_id: str, row: int, label: str) -> None:
        if not dataset_id:
            raise NotFound("The file of this run is not kept here. Upload it again to mend it.")
        await asyncio.to_thread(self._desk.teaching.relabel, dataset_id, row, label)

    # ---- going live ----
    @plainly
    async def gate(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Whether an adapter may go live, and why."""
        visit = self._desk.visit(request)
        adapter = await self._desk.adapter(text(picked, "name"))
        passed, sentences = await asyncio.to_thread(self._adapters.gate, adapter.name)
        return TeachScreen(gate=gate_html(adapter, passed, sentences, visit.words)).values()

    @plainly
    async def promote(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Make an adapter live, and offer to take that back."""
        visit = self._desk.visit(request)
        adapter = await self._desk.adapter(text(picked, "name"))
        await self._adapters.promote(adapter.name, chosen.optional(picked, "reason").strip())
        told = notice(
            visit.words("promoted", name=adapter.name),
            visit.words,
            undo="rollback",
            ids=[adapter.slot],
        )
        screen = await self._after(visit, chosen.optional(picked, "run"))
        return replace(screen, gate="", notice=told).values()

    @plainly
    async def rollback(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Bring back what was live before."""
        visit = self._desk.visit(request)
        slot = chosen.slot(picked)
        back = await self._adapters.rollback(slot)
        name = back.adapter or visit.words("base_short")
        told = notice(visit.words("rolled_back", name=name), visit.words)
        screen = await self._after(visit, chosen.optional(picked, "run"))
        return replace(screen, notice=told).values()

    # ---- the list ----
    @plainly
    async def refresh(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Look again, e.g. after an adapter was imported."""
        visit = self._desk.visit(request)
        return (await self._after(visit, chosen.optional(picked, "run"))).values()

    @plainly
    async def remove(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Put an adapter away, and offer to take that back."""
        visit = self._desk.visit(request)
        gone = await asyncio.to_thread(self._adapters.remove, text(picked, "name"))
        told = notice(
            visit.words("deleted_adapter", name=gone.name),
            visit.words,
            undo="restore_adapter",
            ids=[gone.id],
        )
        screen = await self._after(visit, chosen.optional(picked, "run"))
        return replace(screen, gate="", notice=told).values()

    @plainly
    async def restore(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Bring an adapter back."""
        visit = self._desk.visit(request)
        (id_,) = texts(picked, "ids")[:1] or [""]
        await asyncio.to_thread(self._adapters.restore, id_)
        screen = await self._after(visit, chosen.optional(picked, "run"))
        return replace(screen, notice="").values()

    async def _after(self, visit: TeachVisit, run_id: str) -> TeachScreen:
        screen = TeachScreen(history=await self._desk.history(visit, run_id))
        if not run_id:
            return screen
        run = await asyncio.to_thread(self._desk.teaching.run, run_id)
        verdict, _ = await self._desk.result(visit, run)
        return replace(screen, verdict=verdict)
