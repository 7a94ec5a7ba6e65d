"""Step 1: choosing a file, saying what its columns are, mending its rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import gradio as gr

from chatapp.errors import ChatAppError, DatasetError, InvalidRequest
from chatapp.training.config import RunConfig
from chatapp.training_records import Dataset
from chatapp.ui.failures import plainly, plainly_streaming
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import text, texts
from chatapp.ui.teach import chosen
from chatapp.ui.teach.checks_html import checking_html, failed_html
from chatapp.ui.teach.desk import TeachDesk, TeachVisit, task_of
from chatapp.ui.teach.result_html import no_result_html
from chatapp.ui.teach.run_html import nothing_run_html
from chatapp.ui.teach.runs import blank, shown_run
from chatapp.ui.teach.screen import TeachScreen
from chatapp.ui.teach.source_html import source_html

Frames = AsyncGenerator[list[object], None]


class DataHandlers:
    """Each public method is one thing a reader can ask for. Files come in by HTTP, not here."""

    def __init__(self, desk: TeachDesk) -> None:
        self._desk = desk
        self._teaching = desk.teaching

    @plainly_streaming
    async def arrive(self, request: gr.Request, wanted: str) -> Frames:
        """The page was opened: what its address names, else the run that goes on."""
        visit = self._desk.visit(request)
        asked = _asked(wanted)
        try:
            if asked.get("data"):
                async for frame in self._shown(visit, await self._desk.dataset(asked["data"])):
                    yield frame
                return
            if asked.get("corrections"):
                made = await asyncio.to_thread(self._teaching.add_corrections)
                async for frame in self._shown(visit, made):
                    yield frame
                return
            run = (
                await asyncio.to_thread(self._teaching.run, asked["run"])
                if asked.get("run")
                else None
                if asked.get("new")
                else await self._desk.unfinished()
            )
            if run is not None:
                yield (await shown_run(self._desk, visit, run)).values()
                return
        except ChatAppError as error:
            told = notice(visit.words.error(error.code, error.sentence), visit.words)
            yield replace(await blank(self._desk, visit), notice=told).values()
            return
        yield (await blank(self._desk, visit)).values()

    @plainly
    async def new(self, request: gr.Request) -> list[object]:
        """Begin anew."""
        return (await blank(self._desk, self._desk.visit(request))).values()

    @plainly_streaming
    async def open(self, request: gr.Request, picked: gr.EventData) -> Frames:
        """Take a file that is here already."""
        visit = self._desk.visit(request)
        async for frame in self._shown(visit, await self._desk.dataset(text(picked, "data"))):
            yield frame

    @plainly_streaming
    async def paste(self, request: gr.Request, picked: gr.EventData) -> Frames:
        """Pasted rows become a file."""
        visit = self._desk.visit(request)
        name, content = text(picked, "name").strip(), text(picked, "text")
        if not content.strip():
            raise InvalidRequest("Paste some rows first.")
        made = await asyncio.to_thread(self._teaching.add_text, name or "pasted.csv", content)
        async for frame in self._shown(visit, made):
            yield frame

    @plainly_streaming
    async def corrections(self, request: gr.Request) -> Frames:
        """What the team has approved becomes a file."""
        visit = self._desk.visit(request)
        made = await asyncio.to_thread(self._teaching.add_corrections)
        async for frame in self._shown(visit, made):
            yield frame

    @plainly_streaming
    async def map_columns(self, request: gr.Request, picked: gr.EventData) -> Frames:
        """Read the columns another way."""
        visit = self._desk.visit(request)
        known = await self._desk.dataset(text(picked, "data"))
        wanted = chosen.mapping(picked)
        if not wanted.columns:  # only the format was chosen: what the file's columns say of it
            guessed = (one.mapping for one in known.guesses if one.mapping.format == wanted.format)
            wanted = next(guessed, wanted)
        missing = [
            role.name
            for role in self._desk.rooms.roles(wanted.format)
            if role.required and not wanted.columns.get(role.name)
        ]
        undecided = replace(known, mapping=wanted)
        if missing:  # nothing is decided before the reader has said what these are
            told = visit.words("choose_role", role=visit.words.role(missing[0]))
            yield self._undecided(visit, undecided, told).values()
            return
        try:
            changed = await asyncio.to_thread(self._teaching.set_mapping, known.id, wanted)
        except DatasetError as error:
            yield self._undecided(visit, undecided, error.sentence).values()
            return
        async for frame in self._shown(visit, changed):
            yield frame

    @plainly
    async def fix(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Mend a finding, and offer to take that back."""
        visit = self._desk.visit(request)
        fix_id = text(picked, "fix")
        changed = await asyncio.to_thread(self._teaching.fix, text(picked, "data"), fix_id)
        told = notice(
            self._desk.fix_told(visit, changed.id, fix_id),
            visit.words,
            undo="unfix",
            ids=[changed.id, fix_id],
        )
        return replace(await self._checked(visit, changed, picked), notice=told).values()

    @plainly
    async def unfix(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take a fix back."""
        visit = self._desk.visit(request)
        dataset_id, fix_id = [*texts(picked, "ids"), "", ""][:2]
        changed = await asyncio.to_thread(self._teaching.unfix, dataset_id, fix_id)
        return replace(await self._checked(visit, changed, picked), notice="").values()

    @plainly
    async def remove(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Put a file away, and offer to take that back."""
        visit = self._desk.visit(request)
        gone = await self._desk.dataset(text(picked, "data"))
        await asyncio.to_thread(self._teaching.remove_dataset, gone.id)
        told = notice(
            visit.words("removed_file", name=gone.name),
            visit.words,
            undo="restore_data",
            ids=[gone.id],
        )
        return replace(await blank(self._desk, visit), notice=told).values()

    @plainly_streaming
    async def restore(self, request: gr.Request, picked: gr.EventData) -> Frames:
        """Bring a file back."""
        visit = self._desk.visit(request)
        (id_,) = texts(picked, "ids")[:1] or [""]
        await asyncio.to_thread(self._teaching.restore_dataset, id_)
        async for frame in self._shown(visit, await self._desk.dataset(id_)):
            yield frame

    @plainly_streaming
    async def again(self, request: gr.Request, picked: gr.EventData) -> Frames:
        """The file of a run once more, with the settings it had."""
        visit = self._desk.visit(request)
        run = await asyncio.to_thread(self._teaching.run, text(picked, "run"))
        dataset = await self._desk.dataset(run.dataset_id)
        config = await asyncio.to_thread(self._teaching.reuse, run.id)
        async for frame in self._shown(visit, dataset, config):
            yield frame

    async def _shown(
        self, visit: TeachVisit, dataset: Dataset, config: RunConfig | None = None
    ) -> Frames:
        """A file from its beginning: first what is known at once, then what has to be checked."""
        desk, words = self._desk, visit.words
        task = config.task if config else None
        yield TeachScreen(
            source=source_html(dataset, (), desk.rooms.roles, words),
            checks=checking_html(dataset, words),
            goal="",
            extra="",
            estimate="",
            run=nothing_run_html(words),
            verdict=no_result_html(words),
            gate="",
            result="",
            cell="",
            history=await desk.history(visit),
            notice="",
        ).values()
        checks = await desk.checks(visit, dataset, task)
        source = await desk.source(visit, dataset, task)
        goal = await (desk.goal(visit, dataset, config) if config else self._goal(visit, dataset))
        yield TeachScreen(source=source, checks=checks, goal=goal).values()

    def _undecided(self, visit: TeachVisit, dataset: Dataset, told: str) -> TeachScreen:
        words = visit.words
        return TeachScreen(
            source=source_html(dataset, (), self._desk.rooms.roles, words),
            checks=failed_html(dataset, told, words),
            goal="",
        )

    async def _goal(self, visit: TeachVisit, dataset: Dataset) -> str:
        try:
            config = await asyncio.to_thread(
                self._teaching.recommend, dataset.id, task_of(dataset), "balanced"
            )
        except ChatAppError:  # the checks have said why
            return ""
        return await self._desk.goal(visit, dataset, config)

    async def _checked(
        self, visit: TeachVisit, dataset: Dataset, picked: gr.EventData
    ) -> TeachScreen:
        task = chosen.task(picked) if chosen.optional(picked, "task") else None
        return TeachScreen(
            source=await self._desk.source(visit, dataset, task),
            checks=await self._desk.checks(visit, dataset, task),
        )


def _asked(wanted: str) -> dict[str, str]:
    try:
        asked = json.loads(wanted or "{}")
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in asked.items() if v} if isinstance(asked, dict) else {}
