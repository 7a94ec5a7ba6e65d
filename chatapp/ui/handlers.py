"""What the chat's screen does: each public method is one thing a reader can ask for.

The owner always comes from the request's signed cookie. Ids that the page sends only ever select
among that owner's own conversations; the store refuses the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import gradio as gr

from chatapp.errors import InvalidRequest, NotFound
from chatapp.events import Event
from chatapp.flows.adapters_live import BASE, LIVE
from chatapp.ui import render
from chatapp.ui.failures import plainly, plainly_streaming, refusal
from chatapp.ui.live import LiveAnswer
from chatapp.ui.screen import Controls, Screen
from chatapp.ui.shelf import Shelf
from chatapp.ui.sidebar import notice
from chatapp.ui.visit import Visit

Frames = AsyncGenerator[list[object], None]


class ChatHandlers:
    """The asking and answering; ``ShelfHandlers`` looks after the list beside it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._chat = shelf.rooms.chat
        self._live = shelf.live

    @plainly_streaming
    async def open(self, request: gr.Request, conversation_id: str | None) -> Frames:
        """Show a conversation, or a new chat; go on showing an answer that is still growing."""
        visit = self._shelf.visit(request)
        async for frame in self._open(visit, conversation_id):
            yield frame

    @plainly_streaming
    async def open_picked(self, request: gr.Request, picked: gr.EventData) -> Frames:
        """Show the conversation that was clicked in the list."""
        visit = self._shelf.visit(request)
        async for frame in self._open(visit, field(picked, "id")):
            yield frame

    @plainly_streaming
    async def send(
        self,
        request: gr.Request,
        text: str,
        conversation_id: str,
        persona_id: str,
        instructions: str,
        adapter: str,
        *controls: float | None,
    ) -> Frames:
        """Ask a question, in a new conversation if there is none yet."""
        visit = self._shelf.visit(request)
        if not text.strip():  # the second half of a double click
            yield Screen().values()
            return
        persona = self._shelf.persona(persona_id)
        sampling = controls_of(controls).sampling(persona.sampling.stop)
        if conversation_id:
            self._must_be_idle(visit, conversation_id)
            await self._shelf.instruct(visit, conversation_id, instructions)
        else:
            rooms = self._shelf.rooms
            made = await asyncio.to_thread(
                rooms.conversations.create, visit.owner, persona.id, instructions
            )
            conversation_id = made.id
        picked = _picked(visit, adapter)
        events = self._chat.reply(visit.owner, conversation_id, text.strip(), sampling, picked)
        async for frame in self._answer(visit, conversation_id, events, picked):
            yield frame

    @plainly_streaming
    async def retry(
        self,
        request: gr.Request,
        picked: gr.EventData,
        conversation_id: str,
        persona_id: str,
        adapter: str,
        *controls: float | None,
    ) -> Frames:
        """Answer the same question again, as another version."""
        visit = self._shelf.visit(request)
        self._must_be_idle(visit, conversation_id)
        sampling = controls_of(controls).sampling(self._shelf.persona(persona_id).sampling.stop)
        answer_id, who = field(picked, "id"), _picked(visit, adapter)
        events = self._chat.retry(visit.owner, conversation_id, answer_id, sampling, who)
        async for frame in self._answer(visit, conversation_id, events, who):
            yield frame

    @plainly_streaming
    async def edit(
        self,
        request: gr.Request,
        picked: gr.EventData,
        conversation_id: str,
        persona_id: str,
        adapter: str,
        *controls: float | None,
    ) -> Frames:
        """Ask an earlier question differently, as another branch."""
        visit = self._shelf.visit(request)
        self._must_be_idle(visit, conversation_id)
        text = field(picked, "text").strip()
        if not text:
            raise refusal(visit.words("empty_message"), visit.words)
        sampling = controls_of(controls).sampling(self._shelf.persona(persona_id).sampling.stop)
        question_id = field(picked, "id")
        who = _picked(visit, adapter)
        events = self._chat.edit(visit.owner, conversation_id, question_id, text, sampling, who)
        async for frame in self._answer(visit, conversation_id, events, who):
            yield frame

    @plainly
    async def stop(self, request: gr.Request, conversation_id: str) -> None:
        """End the answer that is growing in this conversation."""
        self._live.stop(self._shelf.visit(request).owner, conversation_id)

    @plainly
    async def undo(
        self, request: gr.Request, picked: gr.EventData, conversation_id: str
    ) -> list[object]:
        """Take a question back into the composer."""
        visit = self._shelf.visit(request)
        self._must_be_idle(visit, conversation_id)
        text = await self._chat.undo(visit.owner, conversation_id, field(picked, "id"))
        screen = await self._shelf.conversation_screen(visit, conversation_id)
        return replace(screen, draft=text).values()

    @plainly
    async def show(
        self, request: gr.Request, picked: gr.EventData, conversation_id: str
    ) -> list[object]:
        """Switch to another version of a message, with what followed it."""
        visit = self._shelf.visit(request)
        self._must_be_idle(visit, conversation_id)
        conversations = self._shelf.rooms.conversations
        target = field(picked, "target")
        await asyncio.to_thread(conversations.show, visit.owner, conversation_id, target)
        return (await self._shelf.conversation_screen(visit, conversation_id)).values()

    @plainly
    async def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        tab = str(request.session_hash)
        self._shelf.forget(tab)
        self._live.leave(tab)

    async def _open(self, visit: Visit, conversation_id: str | None) -> Frames:
        self._shelf.show(visit, conversation_id or "")
        if not conversation_id:
            yield (await self._shelf.blank_screen(visit)).values()
            return
        try:
            screen = await self._shelf.conversation_screen(visit, conversation_id)
        except NotFound:
            self._shelf.show(visit, "")
            lost = notice(visit.words("lost_conversation"), visit.words)
            yield replace(await self._shelf.blank_screen(visit), notice=lost).values()
            return
        yield screen.values()
        live = self._live.find(visit.owner, conversation_id)
        if live is not None:
            async for frame in self._follow(visit, live):
                yield frame

    async def _answer(
        self,
        visit: Visit,
        conversation_id: str,
        events: AsyncGenerator[Event, None],
        adapter: str,
    ) -> Frames:
        self._shelf.show(visit, conversation_id)
        live = self._live.start(visit.owner, conversation_id, events)
        if adapter not in (LIVE, BASE):  # it may have to be loaded first
            live.announced = True
            loading = notice(visit.words("loading_adapter", name=adapter), visit.words)
            yield Screen(notice=loading).values()
        async for frame in self._follow(visit, live):
            yield frame

    async def _follow(self, visit: Visit, live: LiveAnswer) -> Frames:
        live.tabs.add(visit.tab)
        try:
            async for screen in self._growth(visit, live):
                yield screen.values()
        except (asyncio.CancelledError, GeneratorExit):
            self._live.leave(visit.tab)
            raise
        if self._shelf.shows(visit, live.conversation_id):
            yield (await self._ended(visit, live)).values()
        else:
            # Gradio sends an event's last frame once more at its end: it must not bring the
            # conversation back that the reader has left.
            yield Screen().values()

    async def _growth(self, visit: Visit, live: LiveAnswer) -> AsyncGenerator[Screen, None]:
        """One screen a change, while this tab shows the conversation."""
        thread = None
        shown: tuple[object, ...] = ()
        async for _ in live.changes():
            if not self._shelf.shows(visit, live.conversation_id):
                return
            if live.answer_id is None or live.ended:
                continue
            first = thread is None
            if thread is None:
                thread = await self._shelf.thread(visit, live.conversation_id)
            state = (live.phase, live.ahead, live.dropped_turns, live.grounding)
            screen = Screen(
                messages=render.chatbot_messages(thread, visit.words),
                turns=None if state == shown else render.turns_json(thread, visit.words),
                notice="" if first and live.announced else None,
            )
            shown = state
            yield await self._shelf.begun(visit, screen, live) if first else screen

    async def _ended(self, visit: Visit, live: LiveAnswer) -> Screen:
        if live.failure is not None and live.answer_id is None:
            sentence = visit.words.error(live.failure.code, live.failure.sentence)
            raise refusal(sentence, visit.words)
        thread = await self._shelf.thread(visit, live.conversation_id)
        return Screen(
            messages=render.chatbot_messages(thread, visit.words),
            turns=render.turns_json(thread, visit.words, announce=True),
            conversations=await self._shelf.list_html(visit),
            model_line=render.model_line(self._shelf.rooms.engine, visit.words),
        )

    def _must_be_idle(self, visit: Visit, conversation_id: str) -> None:
        if self._live.find(visit.owner, conversation_id) is not None:
            raise refusal(visit.words("wait_for_answer"), visit.words)


def field(picked: gr.EventData, name: str) -> str:
    """A text the page's script sent along with an event.

    Raises:
        InvalidRequest: it did not.
    """
    data = picked._data
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise InvalidRequest(f"The page sent no {name}. Reload it and try again.")
    return value


def _picked(visit: Visit, adapter: str) -> str:
    """The adapter that is to answer: only staff choose."""
    return adapter if visit.staff and adapter else LIVE


def controls_of(values: tuple[float | None, ...]) -> Controls:
    """The controls as their page sends them.

    Raises:
        InvalidRequest: one is empty.
    """
    temperature, top_p, top_k, repetition_penalty, max_tokens, seed = values
    if None in (temperature, top_p, top_k, repetition_penalty, max_tokens):
        raise InvalidRequest("A control under “How it writes” is empty. Give it a number.")
    return Controls(temperature, top_p, top_k, repetition_penalty, max_tokens, seed)  # type: ignore[arg-type]
