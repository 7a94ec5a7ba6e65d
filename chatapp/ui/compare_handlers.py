"""Comparing two answers, for staff."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import gradio as gr

from chatapp.errors import AccessDenied
from chatapp.flows.comparing import Comparing
from chatapp.flows.comparison import Comparison
from chatapp.ui.compare_html import compare_form, loading_head, side_head, verdict_html
from chatapp.ui.compare_parts import CompareScreen
from chatapp.ui.failures import plainly, plainly_streaming
from chatapp.ui.handlers import controls_of, field
from chatapp.ui.shelf import Shelf
from chatapp.ui.sidebar import staff_links
from chatapp.ui.staff_tools import staff_tools
from chatapp.ui.visit import Visit


class CompareHandlers:
    """Each public method is one thing that staff can ask for; nobody else is answered."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._learning = shelf.rooms.learning
        self._running: dict[str, str] = {}

    @plainly
    async def staff(self, request: gr.Request) -> list[object]:
        """The ways to the staff's pages, and their tools, for those who may use them."""
        visit = self._shelf.visit(request)
        if not visit.staff:
            return ["", "", gr.skip()]
        adapters = await asyncio.to_thread(self._learning.adapters)
        waiting = 0
        if self._learning.feedback is not None:
            waiting = await asyncio.to_thread(self._learning.feedback.waiting)
        can_compare = self._learning.comparing is not None
        return [
            staff_links(visit.words, waiting, can_compare=can_compare),
            staff_tools(adapters, visit.words, can_compare=can_compare),
            compare_form(adapters, visit.words) if can_compare else gr.skip(),
        ]

    @plainly_streaming
    async def ask(
        self,
        request: gr.Request,
        picked: gr.EventData,
        persona_id: str,
        instructions: str,
        *controls: float | None,
    ) -> AsyncGenerator[list[object], None]:
        """Two answers, growing side by side."""
        visit, comparing = self._staff(request)
        persona = self._shelf.persona(persona_id)
        growing = comparing.ask(
            field(picked, "question"),
            field(picked, "first"),
            field(picked, "second"),
            blind=field(picked, "blind") == "yes",
            system_prompt=instructions,
            sampling=controls_of(controls).sampling(persona.sampling.stop),
        )
        head = loading_head(visit.words)
        yield CompareScreen(left_head=head, left="", right_head=head, right="", verdict="").values()
        try:
            async with aclosing(growing) as frames:
                async for comparison in frames:
                    self._running[visit.tab] = comparison.id
                    yield self._frame(comparison, visit).values()
        finally:
            self._running.pop(visit.tab, None)

    @plainly
    async def stop(self, request: gr.Request) -> None:
        """End both answers that grow in this tab."""
        visit, comparing = self._staff(request)
        comparing.stop(self._running.get(visit.tab, ""))

    @plainly
    async def vote(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Keep a verdict, and name the two."""
        visit, comparing = self._staff(request)
        comparison = await comparing.vote(field(picked, "id"), field(picked, "choice"))
        return (await self._voted(comparison, comparing, visit)).values()

    @plainly
    async def unvote(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take a verdict back."""
        visit, comparing = self._staff(request)
        comparison = await comparing.unvote(field(picked, "id"))
        return (await self._voted(comparison, comparing, visit)).values()

    async def _voted(
        self, comparison: Comparison, comparing: Comparing, visit: Visit
    ) -> CompareScreen:
        tallies = await asyncio.to_thread(comparing.tally, comparison.adapters[1])
        return CompareScreen(
            left_head=side_head(comparison, "left", visit.words),
            right_head=side_head(comparison, "right", visit.words),
            verdict=verdict_html(comparison, tallies, visit.words),
        )

    def _frame(self, comparison: Comparison, visit: Visit) -> CompareScreen:
        return CompareScreen(
            left_head=side_head(comparison, "left", visit.words),
            left=comparison.answers["left"].text,
            right_head=side_head(comparison, "right", visit.words),
            right=comparison.answers["right"].text,
            verdict=verdict_html(comparison, (), visit.words),
        )

    def _staff(self, request: gr.Request) -> tuple[Visit, Comparing]:
        visit = self._shelf.visit(request)
        if not visit.staff or self._learning.comparing is None:
            raise AccessDenied("Only staff can compare answers. Sign in at /staff/login first.")
        return visit, self._learning.comparing
