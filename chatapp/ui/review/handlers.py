"""What the Review page does: each public method is one thing a reviewer can ask for.

None of them asks again who the reader is: whatever reaches them has passed ``StaffGuard``.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from typing import Final, get_args

import gradio as gr

from chatapp.feedback_records import Remark
from chatapp.flows.feedback_examples import near_approved
from chatapp.training_records import Purpose
from chatapp.ui.failures import plainly
from chatapp.ui.identity import cookies_of
from chatapp.ui.review.examples_html import examples_html
from chatapp.ui.review.numbers_html import numbers_html
from chatapp.ui.review.queue_html import head_html, queue_html
from chatapp.ui.review.remark_html import Desk
from chatapp.ui.review.rooms import ReviewRooms
from chatapp.ui.review.screen import ReviewScreen
from chatapp.ui.review.texts import ReviewWords
from chatapp.ui.review.view import View, view_of
from chatapp.ui.sidebar import timezone_of
from chatapp.ui.staff.notice import notice
from chatapp.ui.staff.picked import text, texts
from chatapp.ui.visit import words_of

_UNDOABLE: Final = 20
"""Edits that can still be taken back."""


class ReviewHandlers:
    """Reads and decides."""

    def __init__(self, rooms: ReviewRooms) -> None:
        self._rooms = rooms
        self._review = rooms.review
        self._edited: OrderedDict[str, tuple[str, str]] = OrderedDict()

    @plainly
    async def arrive(self, request: gr.Request) -> list[object]:
        """The page from its beginning."""
        screen = await asyncio.to_thread(self._screen, request, View())
        numbers = await asyncio.to_thread(self._numbers, _words(request))
        return replace(screen, numbers=numbers).values()

    @plainly
    async def filter(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """What fits the filters."""
        return (await asyncio.to_thread(self._screen, request, view_of(picked))).values()

    @plainly
    async def numbers(self, request: gr.Request) -> list[object]:
        """Votes and labels as they are now."""
        numbers = await asyncio.to_thread(self._numbers, _words(request))
        return ReviewScreen(numbers=numbers).values()

    @plainly
    async def approve(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Make an example of a remark."""

        def decide() -> Remark:
            return self._review.approve(
                text(picked, "id"),
                text(picked, "question"),
                text(picked, "answer"),
                masked=text(picked, "mask") == "yes",
            )

        return await self._decided(request, picked, decide)

    @plainly
    async def to_faq(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Make an FAQ entry of a remark."""

        def decide() -> Remark:
            return self._review.to_faq(
                text(picked, "id"),
                text(picked, "collection"),
                text(picked, "question"),
                text(picked, "answer"),
            )

        return await self._decided(request, picked, decide)

    @plainly
    async def missing_document(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Say that a document is missing."""

        def decide() -> Remark:
            return self._review.missing_document(
                text(picked, "id"),
                text(picked, "collection"),
                text(picked, "question"),
                text(picked, "note"),
            )

        return await self._decided(request, picked, decide)

    @plainly
    async def reject(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Make nothing of a remark."""
        return await self._decided(request, picked, lambda: self._review.reject(text(picked, "id")))

    @plainly
    async def undo(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take decisions back."""
        for id_ in texts(picked, "ids"):
            await asyncio.to_thread(self._review.undo, id_)
        return await self._told(request, picked, "undone")

    @plainly
    async def edit_example(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Change an approved example."""
        id_, question, answer = (text(picked, name) for name in ("id", "question", "answer"))

        def edit() -> None:
            before = next((one for one in self._review.corrections() if one.id == id_), None)
            # Nothing is hidden: the reviewer sees what was, and has written the rest.
            self._review.edit(id_, question, answer, masked=False)
            if before is not None:
                self._edited[id_] = (before.question, before.answer)
            if len(self._edited) > _UNDOABLE:
                self._edited.popitem(last=False)

        await asyncio.to_thread(edit)
        return await self._told(request, picked, "example_saved", undo=("unedit_example", id_))

    @plainly
    async def unedit_example(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Bring an example back to how it was before it was edited."""
        for id_ in texts(picked, "ids"):
            if before := self._edited.pop(id_, None):
                await asyncio.to_thread(self._review.edit, id_, *before, masked=False)
        return await self._told(request, picked, "example_restored")

    @plainly
    async def delete_example(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Let an example go, and offer to take that back."""
        id_ = text(picked, "id")
        await asyncio.to_thread(self._review.delete, [id_])
        return await self._told(request, picked, "example_deleted", undo=("restore_example", id_))

    @plainly
    async def restore_example(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Bring examples back."""
        await asyncio.to_thread(self._review.restore, texts(picked, "ids"))
        return await self._told(request, picked, "")

    async def _decided(
        self, request: gr.Request, picked: gr.EventData, decide: Callable[[], Remark]
    ) -> list[object]:
        remark = await asyncio.to_thread(decide)
        done = f"done_{remark.status}"
        return await self._told(request, picked, done, undo=("undo", remark.id))

    async def _told(
        self,
        request: gr.Request,
        picked: gr.EventData,
        key: str,
        undo: tuple[str, str] | None = None,
    ) -> list[object]:
        """The page as it is now, and what was done."""
        words = _words(request)
        screen = await asyncio.to_thread(self._screen, request, view_of(picked))
        event, id_ = undo or ("", "")
        said = notice(words(key), words, undo=event, ids=[id_]) if key else ""
        return replace(screen, notice=said).values()

    def _screen(self, request: gr.Request, view: View) -> ReviewScreen:
        words, zone = _words(request), _zone(request)
        parts = self._rooms.feedback.parts()
        corrections = (*parts.trained, *parts.held_out, *parts.too_near)
        remarks = self._review.queue(view.status, view.reason, view.search, view.limit + 1)
        near = near_approved([one.question for one in remarks], corrections)
        desk = Desk(self._rooms.collections.list(), self._review.mask, words, zone)
        return ReviewScreen(
            head=head_html(self._review.counts(), len(corrections), words),
            queue=queue_html(remarks, near, view, desk),
            examples=examples_html(parts, view.examples_search, words, zone),
        )

    def _numbers(self, words: ReviewWords) -> str:
        purposes: tuple[Purpose, ...] = get_args(Purpose)
        labels = {purpose: self._rooms.labels(purpose) for purpose in purposes}
        return numbers_html(self._rooms.thumbs(), self._rooms.tallies(), labels, words)


def _words(request: gr.Request) -> ReviewWords:
    return ReviewWords(words_of(request).language)


def _zone(request: gr.Request) -> tzinfo:
    return timezone_of(cookies_of(request).get("chatapp_zone"))
