"""Step 3: watching a run, stopping it, going on with it, comparing it with others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import gradio as gr

from chatapp.errors import NotFound
from chatapp.training_records import Run
from chatapp.ui.failures import plainly
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import text, texts
from chatapp.ui.teach import chosen
from chatapp.ui.teach.comparison_html import MOST, Compared, comparison_html
from chatapp.ui.teach.desk import TeachDesk, TeachVisit
from chatapp.ui.teach.past_html import past_goal_html, past_source_html
from chatapp.ui.teach.result_html import no_result_html
from chatapp.ui.teach.run_html import nothing_run_html
from chatapp.ui.teach.screen import TeachScreen


async def shown_run(desk: TeachDesk, visit: TeachVisit, run: Run) -> TeachScreen:
    """A run with all its steps; the first two as they were when it began."""
    kept = await desk.dataset_of(run)
    verdict, result = await desk.result(visit, run)
    return TeachScreen(
        source=past_source_html(run, kept, visit.words),
        checks="",
        goal=past_goal_html(run, kept, visit.words),
        extra="",
        estimate="",
        run=await desk.run(visit, run),
        verdict=verdict,
        gate="",
        result=result,
        cell="",
        history=await desk.history(visit, run.id),
    )


async def blank(desk: TeachDesk, visit: TeachVisit) -> TeachScreen:
    """The page before anything was chosen."""
    return TeachScreen(
        source=await desk.nothing(visit),
        checks="",
        goal="",
        extra="",
        estimate="",
        run=nothing_run_html(visit.words),
        verdict=no_result_html(visit.words),
        gate="",
        result="",
        cell="",
        comparison="",
        history=await desk.history(visit),
    )


class RunHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, desk: TeachDesk) -> None:
        self._desk = desk
        self._teaching = desk.teaching

    @plainly
    async def open(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Show a run."""
        visit = self._desk.visit(request)
        run = await self._run(text(picked, "run"))
        return (await shown_run(self._desk, visit, run)).values()

    @plainly
    async def watch(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """How far it is; the report once it has ended, and the list beside it."""
        visit = self._desk.visit(request)
        id_ = chosen.optional(picked, "run")
        screen = TeachScreen(history=await self._desk.history(visit, id_))
        if not id_:
            return screen.values()
        try:
            run = await self._run(id_)
        except NotFound:  # somebody discarded it meanwhile
            return replace(screen, run=nothing_run_html(visit.words)).values()
        screen = replace(screen, run=await self._desk.run(visit, run))
        if chosen.optional(picked, "result") == "yes":
            verdict, result = await self._desk.result(visit, run)
            screen = replace(screen, verdict=verdict, result=result)
        return screen.values()

    @plainly
    async def stop(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Ask it to end soon; what is discarded can be brought back for a while."""
        visit = self._desk.visit(request)
        run = await self._run(text(picked, "run"))
        if text(picked, "what") != "keep":
            return await self._discarded(visit, run, self._teaching.stop, "discard")
        await asyncio.to_thread(self._teaching.stop, run.id, "keep")
        told = notice(visit.words("stopping_kept"), visit.words)
        return await self._again(visit, run.id, told)

    @plainly
    async def resume(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Go on from the last checkpoint."""
        visit = self._desk.visit(request)
        id_ = text(picked, "run")
        await asyncio.to_thread(self._teaching.resume, id_)
        return await self._again(visit, id_, notice(visit.words("resumed"), visit.words))

    @plainly
    async def discard(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Put a run away, and offer to take that back."""
        visit = self._desk.visit(request)
        run = await self._run(text(picked, "run"))
        return await self._discarded(visit, run, self._teaching.discard)

    async def _discarded(
        self, visit: TeachVisit, run: Run, discard: Callable[..., object], *more: str
    ) -> list[object]:
        await asyncio.to_thread(discard, run.id, *more)
        told = notice(
            visit.words("discarded_run", name=run.name),
            visit.words,
            undo="restore_run",
            ids=[run.id],
        )
        return replace(await blank(self._desk, visit), notice=told).values()

    @plainly
    async def restore(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Bring a run back."""
        visit = self._desk.visit(request)
        (id_,) = texts(picked, "ids")[:1] or [""]
        await asyncio.to_thread(self._teaching.restore, id_)
        return await self._again(visit, id_, "")

    @plainly
    async def compare(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Several runs beside each other."""
        visit = self._desk.visit(request)

        def read() -> list[Compared]:
            folders = [(self._teaching.run(id_), self._teaching.folder(id_)) for id_ in ids]
            return [Compared(run, folder.metrics(), folder.report) for run, folder in folders]

        ids = texts(picked, "ids")[:MOST]
        compared = await asyncio.to_thread(read)
        return TeachScreen(comparison=comparison_html(compared, visit.words)).values()

    async def _run(self, run_id: str) -> Run:
        return await asyncio.to_thread(self._teaching.run, run_id)

    async def _again(self, visit: TeachVisit, run_id: str, told: str) -> list[object]:
        screen = await shown_run(self._desk, visit, await self._run(run_id))
        return replace(screen, notice=told).values()
