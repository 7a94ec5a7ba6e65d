"""What every part of the Teach page reads: files, runs, adapters, drawn for one reader."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import gradio as gr

from chatapp.errors import ChatAppError, NotFound
from chatapp.training.config import RunConfig
from chatapp.training_records import (
    UNFINISHED,
    Adapter,
    Dataset,
    Fix,
    Preview,
    Run,
    Task,
)
from chatapp.ui.identity import cookies_of
from chatapp.ui.sidebar import timezone_of
from chatapp.ui.teach.checks_html import checks_html, failed_html
from chatapp.ui.teach.estimates import DryRuns
from chatapp.ui.teach.goal_html import Goal, goal_html
from chatapp.ui.teach.history_html import SLOTS, History, history_html
from chatapp.ui.teach.result_html import (
    Result,
    no_result_html,
    result_html,
    verdict_html,
)
from chatapp.ui.teach.rooms import TeachRooms
from chatapp.ui.teach.run_html import Watched, run_html
from chatapp.ui.teach.source_html import nothing_html, source_html
from chatapp.ui.teach.texts import TeachWords
from chatapp.ui.visit import words_of

_LOG_LINES = 80
_MEASURED = ("done", "stopped")
"""Runs whose report is their own; before that it may be the instant baseline's."""
_REGISTERED_WITHIN = timedelta(minutes=2)
_EARLIER = 20
"""Runs whose settings are offered to be taken over."""


@dataclass(frozen=True, slots=True)
class TeachVisit:
    """One request's reader."""

    words: TeachWords
    zone: tzinfo


class TeachDesk:
    """Reads and draws; the handlers beside it change."""

    def __init__(self, rooms: TeachRooms) -> None:
        self.rooms = rooms
        self.teaching = rooms.teaching
        self.dry_runs = DryRuns(rooms.teaching)
        self._fixes: dict[tuple[str, str], Fix] = {}
        self._rows: dict[str, tuple[Mapping[str, float], int]] = {}

    def visit(self, request: gr.Request) -> TeachVisit:
        """Who asks. That they are staff has been checked before any handler runs."""
        zone = timezone_of(cookies_of(request).get("chatapp_zone"))
        return TeachVisit(TeachWords(words_of(request).language), zone)

    # ---- step 1 ----
    async def dataset(self, dataset_id: str) -> Dataset:
        """The file.

        Raises:
            NotFound: it is gone.
        """
        return await asyncio.to_thread(self.teaching.dataset, dataset_id)

    async def nothing(self, visit: TeachVisit) -> str:
        """Before a file is chosen."""
        recent = await asyncio.to_thread(self.teaching.datasets)
        waiting = await asyncio.to_thread(self.rooms.corrections)
        return nothing_html(recent, waiting, visit.words, visit.zone)

    async def source(self, visit: TeachVisit, dataset: Dataset, task: Task | None = None) -> str:
        """The file, what it was taken for, and its first examples."""

        chosen = task or task_of(dataset)

        def read() -> Sequence[Preview]:
            config = self.teaching.recommend(dataset.id, chosen, "balanced")
            return self.teaching.preview(dataset.id, config)

        try:
            previews, problem = await asyncio.to_thread(read), ""
        except ChatAppError as error:
            previews, problem = [], visit.words.error(error.code, error.sentence)
        sorting = chosen == "classify"
        roles = self.rooms.roles
        return source_html(dataset, previews, roles, visit.words, problem, sorting=sorting)

    async def checks(
        self, visit: TeachVisit, dataset: Dataset, task: Task | None = None, base: str = "auto"
    ) -> str:
        """What the doctor says."""
        try:
            found = await asyncio.to_thread(
                self.teaching.examine, dataset.id, task or task_of(dataset), base
            )
        except ChatAppError as error:
            told = visit.words.error(error.code, error.sentence)
            return failed_html(dataset, told, visit.words)
        self._rows[dataset.id] = (found.languages, found.ready)
        offered = (fix for one in found.findings for fix in one.fixes)
        self._fixes.update(((dataset.id, fix.id), fix) for fix in offered)
        applied = [(one, self.fix_told(visit, dataset.id, one)) for one in dataset.fixes]
        return checks_html(dataset, found, applied, visit.words)

    def fix_told(self, visit: TeachVisit, dataset_id: str, fix_id: str) -> str:
        """What a fix did; in general words where it was made before this server started."""
        fix = self._fixes.get((dataset_id, fix_id))
        if fix is None:
            return visit.words("fixed", label=fix_id.split(".")[0].replace("_", " "))
        return visit.words("fixed", label=visit.words.fix_label(fix))

    # ---- step 2 ----
    async def goal(self, visit: TeachVisit, dataset: Dataset, config: RunConfig) -> str:
        """The choices, with these made."""

        def read() -> list[Run]:
            return [run for run in self.teaching.runs() if run.task == config.task][:_EARLIER]

        goal = Goal(
            dataset=dataset,
            config=config,
            bases=await asyncio.to_thread(self.rooms.bases, config.task),
            earlier=await asyncio.to_thread(read),
            recommended=self._recommended(visit, dataset, config.task),
        )
        return goal_html(goal, visit.words)

    def _recommended(self, visit: TeachVisit, dataset: Dataset, task: Task) -> tuple[str, str]:
        """The base that suits a file, and why; of answers it is always the chat's own."""
        if task == "chat" or dataset.id not in self._rows:
            return ("chat" if task == "chat" else "", "")
        base, sentence = self.rooms.recommend_base(*self._rows[dataset.id])
        return base, visit.words.base_advice(base, sentence)

    # ---- steps 3 and 4 ----
    async def run(self, visit: TeachVisit, run: Run) -> str:
        """How far it is."""

        def read() -> Watched:
            folder = self.teaching.folder(run.id)
            return Watched(
                run=run,
                metrics=folder.metrics(),
                samples=folder.samples(),
                log=folder.log_tail(_LOG_LINES),
                ahead=self._ahead(run),
                report=folder.report,
            )

        return run_html(await asyncio.to_thread(read), visit.words)

    async def result(self, visit: TeachVisit, run: Run) -> tuple[str, str]:
        """Its verdict and its report; nothing while it is unfinished."""

        def read() -> Result | None:
            report = self.teaching.folder(run.id).report
            if report is None or run.state.status not in _MEASURED:
                return None
            made = (one for one in self.rooms.adapters.list() if one.run_id == run.id)
            ended = run.state.ended_at
            awaited = ended is not None and datetime.now(UTC) - ended < _REGISTERED_WITHIN
            return Result(run, report, next(made, None), awaited)

        found = await asyncio.to_thread(read)
        if found is None:
            return no_result_html(visit.words), ""
        return verdict_html(found, visit.words), result_html(found, visit.words)

    async def adapter(self, name: str) -> Adapter:
        """The adapter.

        Raises:
            NotFound: it is gone.
        """
        return await asyncio.to_thread(self.rooms.adapters.get, name)

    async def history(self, visit: TeachVisit, current: str = "") -> str:
        """What is live, the runs, the adapters."""

        def read() -> History:
            adapters = self.rooms.adapters
            return History(
                runs=[run for run in self.teaching.runs() if run.state.status != "discarded"],
                adapters=adapters.list(),
                promotions={slot: adapters.history(slot) for slot in SLOTS},
                problems={slot: adapters.problem(slot) or "" for slot in SLOTS},
                current=current,
            )

        return history_html(await asyncio.to_thread(read), visit.words, visit.zone)

    async def unfinished(self) -> Run | None:
        """The run that goes on now, or waits next."""
        every = await asyncio.to_thread(self.teaching.runs)
        going = [run for run in every if run.state.status in UNFINISHED]
        running = [run for run in going if run.state.status != "queued"]
        return next(iter(running or going), None)

    async def dataset_of(self, run: Run) -> Dataset | None:
        """The file a run learned from, while it is kept."""
        if not run.dataset_id:
            return None
        try:
            return await self.dataset(run.dataset_id)
        except NotFound:
            return None

    def _ahead(self, run: Run) -> int:
        if run.state.status != "queued":
            return 0
        return sum(
            other.state.status in UNFINISHED and other.created_at < run.created_at
            for other in self.teaching.runs()
            if other.id != run.id
        )


def task_of(dataset: Dataset) -> Task:
    """What a file of that format is for."""
    return "classify" if dataset.mapping.format == "text_label" else "chat"
