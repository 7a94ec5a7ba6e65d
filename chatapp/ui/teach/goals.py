"""Step 2: choosing what to learn, estimating, starting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import gradio as gr

from chatapp.errors import ChatAppError
from chatapp.training.config import RunConfig, make_config, read_config
from chatapp.ui.failures import plainly, plainly_streaming, toast
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import text
from chatapp.ui.teach import chosen
from chatapp.ui.teach.desk import TeachDesk, TeachVisit
from chatapp.ui.teach.estimate_html import estimate_html, estimating_html, failed_estimate_html
from chatapp.ui.teach.estimates import DryRun
from chatapp.ui.teach.goal_html import command_html, rephrased_html
from chatapp.ui.teach.runs import shown_run
from chatapp.ui.teach.screen import TeachScreen

_REPHRASED = 5


class GoalHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, desk: TeachDesk) -> None:
        self._desk = desk
        self._teaching = desk.teaching

    @plainly_streaming
    async def choose(
        self, request: gr.Request, picked: gr.EventData
    ) -> AsyncGenerator[list[object], None]:
        """Another task or preset: the settings that suit it, and for a task the rows anew."""
        visit = self._desk.visit(request)
        dataset = await self._desk.dataset(text(picked, "data"))
        task, preset = chosen.task(picked), chosen.preset(picked)
        suited = await asyncio.to_thread(self._teaching.recommend, dataset.id, task, preset)
        kept = {
            name: value
            for name in ("name", "base", "purpose")
            if (value := chosen.optional(picked, name))
        }
        config = make_config({**suited.model_dump(), **kept})
        goal = await self._desk.goal(visit, dataset, config)
        yield TeachScreen(goal=goal, estimate="", extra="").values()
        if chosen.optional(picked, "before") != task:
            yield TeachScreen(
                source=await self._desk.source(visit, dataset, task),
                checks=await self._desk.checks(visit, dataset, task),
            ).values()

    @plainly
    async def reuse(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take over the settings of an earlier run."""
        visit = self._desk.visit(request)
        dataset = await self._desk.dataset(text(picked, "data"))
        run = await asyncio.to_thread(self._teaching.run, text(picked, "run"))
        name = chosen.optional(picked, "name") or run.name
        earlier = await asyncio.to_thread(self._teaching.reuse, run.id)
        config = make_config({**earlier.model_dump(), "name": name})
        screen = await self._filled(visit, dataset.id, config)
        told = notice(visit.words("reused", name=run.name), visit.words)
        return replace(screen, notice=told).values()

    @plainly
    async def read_settings(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take over settings from a file."""
        visit = self._desk.visit(request)
        config = read_config(text(picked, "text"))
        return (await self._filled(visit, text(picked, "data"), config)).values()

    @plainly
    async def rephrased(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Some examples beside the copies that would be added."""
        visit = self._desk.visit(request)
        pairs = await asyncio.to_thread(self._teaching.augmented, text(picked, "data"), _REPHRASED)
        return TeachScreen(extra=rephrased_html(pairs, visit.words)).values()

    @plainly
    async def command(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """What does the same without this page."""
        visit = self._desk.visit(request)
        dataset = await self._desk.dataset(text(picked, "data"))
        told = await asyncio.to_thread(self._teaching.command, chosen.settings(picked), dataset.id)
        return TeachScreen(extra=command_html(told, visit.words)).values()

    @plainly
    async def estimate(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Try a few steps; the page asks how far it is."""
        visit = self._desk.visit(request)
        going = self._desk.dry_runs.begin(text(picked, "data"), chosen.settings(picked))
        return TeachScreen(estimate=_drawn(going, visit), extra="").values()

    @plainly
    async def estimating(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """How far the dry run is."""
        visit = self._desk.visit(request)
        going = self._desk.dry_runs.of(text(picked, "data"))
        return TeachScreen(estimate=_drawn(going, visit) if going else "").values()

    @plainly
    async def launch(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Start a run."""
        visit = self._desk.visit(request)
        run = await asyncio.to_thread(
            self._teaching.launch, text(picked, "data"), chosen.settings(picked)
        )
        return (await shown_run(self._desk, visit, run)).values()

    async def _filled(self, visit: TeachVisit, dataset_id: str, config: RunConfig) -> TeachScreen:
        dataset = await self._desk.dataset(dataset_id)
        return TeachScreen(
            goal=await self._desk.goal(visit, dataset, config), estimate="", extra=""
        )


def _drawn(going: DryRun, visit: TeachVisit) -> str:
    words, preset = visit.words, going.config.preset
    if not going.task.done():
        return estimating_html(preset, going.seconds, words)
    error = going.task.exception()
    if isinstance(error, ChatAppError):
        return failed_estimate_html(words.error(error.code, error.sentence), words)
    if isinstance(error, Exception):
        return failed_estimate_html(str(toast(error, words)), words)
    return estimate_html(going.task.result(), preset, words)
