"""The conversations of a reader: the list beside the chat, and one of them on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import gradio as gr

from chatapp.engine.base import Engine
from chatapp.feedback_records import Remark
from chatapp.flows.chat import Chat
from chatapp.records import Conversation, Persona
from chatapp.store import Conversations, Messages
from chatapp.training_records import MessageLabel
from chatapp.ui import render
from chatapp.ui.learning import Learning
from chatapp.ui.live import LiveAnswer, LiveAnswers
from chatapp.ui.screen import Controls, Picker, Screen
from chatapp.ui.sidebar import conversation_list
from chatapp.ui.texts import Words
from chatapp.ui.thread import Thread
from chatapp.ui.visit import IsStaff, OwnerOf, Visit, visit_of


@dataclass(frozen=True, slots=True)
class Rooms:
    """The lower floors, as the page needs them."""

    chat: Chat
    conversations: Conversations
    messages: Messages
    engine: Engine
    personas: Mapping[str, Persona]
    learning: Learning = field(default_factory=Learning)


_NOBODY: Final = Persona(
    id="", name="Assistant", description="", system_prompt="", names={"zh": "助手"}
)
"""Answers where no persona file could be read."""


@dataclass(slots=True)
class _Tab:
    """What one open page shows now."""

    conversation_id: str = ""
    search: str = ""


class Shelf:
    """Reads conversations and knows which tab shows which."""

    def __init__(
        self, rooms: Rooms, owner_of: OwnerOf, is_staff: IsStaff = lambda _: False
    ) -> None:
        self.rooms = rooms
        self.is_staff = is_staff
        self.live = LiveAnswers(rooms.chat)
        self._owner_of = owner_of
        self._tabs: dict[str, _Tab] = {}

    def visit(self, request: gr.Request) -> Visit:
        """Who asks."""
        return visit_of(request, self._owner_of, self.is_staff)

    def persona(self, persona_id: str) -> Persona:
        """The persona of that id, or the first where its file is gone."""
        personas = self.rooms.personas
        return personas.get(persona_id) or next(iter(personas.values()), _NOBODY)

    def show(self, visit: Visit, conversation_id: str) -> None:
        """From now on this tab shows that conversation, or none."""
        tab = self._tabs.setdefault(visit.tab, _Tab())
        before, tab.conversation_id = tab.conversation_id, conversation_id
        growing = self.live.find(visit.owner, before)
        if growing is not None and before != conversation_id:
            growing.wake()  # what followed it for this tab can end

    def shows(self, visit: Visit, conversation_id: str) -> bool:
        """Whether this tab still shows that conversation."""
        tab = self._tabs.get(visit.tab)
        return tab is not None and tab.conversation_id == conversation_id

    def search(self, visit: Visit, text: str) -> None:
        """From now on this tab's list shows what mentions ``text``."""
        self._tabs.setdefault(visit.tab, _Tab()).search = text.strip()

    def forget(self, tab: str) -> None:
        """The tab is gone."""
        self._tabs.pop(tab, None)

    async def thread(self, visit: Visit, conversation_id: str) -> Thread:
        """The shown branch.

        Raises:
            NotFound: not a conversation of this reader.
        """
        # Before the reading: of an answer that ends meanwhile, the end is known here only.
        live = self.live.find(visit.owner, conversation_id)
        return await asyncio.to_thread(self._read, visit, conversation_id, live)

    def _read(self, visit: Visit, conversation_id: str, live: LiveAnswer | None) -> Thread:
        conversations, learning = self.rooms.conversations, self.rooms.learning
        branch = conversations.branch(visit.owner, conversation_id)
        siblings = conversations.siblings(visit.owner, conversation_id)
        remarks: Mapping[str, Remark] = {}
        if learning.feedback is not None:
            remarks = learning.feedback.of_conversation(visit.owner, conversation_id)
        labels: Mapping[str, Sequence[MessageLabel]] = {}
        if visit.staff and learning.labels is not None:
            labels = learning.labels.of_conversation(conversation_id)
        return Thread(
            conversation_id,
            branch,
            siblings,
            live,
            remarks=remarks,
            labels=labels,
            for_staff=visit.staff,
        )

    async def list_html(self, visit: Visit) -> str:
        """The list, filtered as this tab asked."""
        tab = self._tabs.get(visit.tab, _Tab())
        found = await asyncio.to_thread(
            self.rooms.conversations.list, visit.owner, search=tab.search
        )
        return conversation_list(found, tab.conversation_id, tab.search, visit.words, visit.zone)

    async def blank_screen(self, visit: Visit, persona_id: str = "") -> Screen:
        """A new chat."""
        persona = self.persona(persona_id)
        return Screen(
            messages=[],
            turns=render.turns_json(Thread("", [], {}), visit.words),
            current="",
            conversations=await self.list_html(visit),
            welcome=render.welcome(persona, visit.words),
            model_line=render.model_line(self.rooms.engine, visit.words),
            persona=self._picker(persona, visit),
            instructions=persona.system_prompt,
            controls=Controls.of(persona.sampling),
        )

    async def conversation_screen(self, visit: Visit, conversation_id: str) -> Screen:
        """A stored conversation.

        Raises:
            NotFound: not a conversation of this reader.
        """
        conversation: Conversation = await asyncio.to_thread(
            self.rooms.conversations.get, visit.owner, conversation_id
        )
        thread = await self.thread(visit, conversation_id)
        persona = self.persona(conversation.persona_id)
        return Screen(
            messages=render.chatbot_messages(thread, visit.words),
            turns=render.turns_json(thread, visit.words),
            current=conversation_id,
            conversations=await self.list_html(visit),
            welcome="" if thread.messages else render.welcome(persona, visit.words),
            model_line=render.model_line(self.rooms.engine, visit.words),
            persona=self._picker(persona, visit),
            instructions=conversation.system_prompt,
            controls=Controls.of(persona.sampling),
        )

    async def begun(self, visit: Visit, screen: Screen, live: LiveAnswer) -> Screen:
        """The first screen of a growing answer also moves its conversation into place."""
        return replace(
            screen,
            current=live.conversation_id,
            conversations=await self.list_html(visit),
            welcome="",
        )

    async def instruct(self, visit: Visit, conversation_id: str, text: str) -> bool:
        """Keep the system prompt as the reader has written it; whether that changed it."""
        conversations = self.rooms.conversations
        now = await asyncio.to_thread(conversations.get, visit.owner, conversation_id)
        if now.system_prompt == text:
            return False
        await asyncio.to_thread(conversations.set_system_prompt, visit.owner, conversation_id, text)
        return True

    def choices(self, words: Words) -> list[tuple[str, str]]:
        """The personas' names in the reader's language, with their ids."""
        personas = self.rooms.personas.values() or (_NOBODY,)
        return [(render.persona_name(persona, words), persona.id) for persona in personas]

    def _picker(self, persona: Persona, visit: Visit) -> Picker:
        return Picker(self.choices(visit.words), persona.id)
