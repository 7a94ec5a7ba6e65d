"""What the list beside the chat and the settings do."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import gradio as gr

from chatapp.flows.transfer import export_json, export_markdown, import_json
from chatapp.ui.failures import plainly, refusal
from chatapp.ui.handlers import field
from chatapp.ui.screen import Screen
from chatapp.ui.shelf import Shelf
from chatapp.ui.sidebar import notice

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


class ShelfHandlers:
    """Each public method is one thing a reader can ask for."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._conversations = shelf.rooms.conversations

    @plainly
    async def new(self, request: gr.Request, persona_id: str) -> list[object]:
        """An empty chat with the same assistant."""
        visit = self._shelf.visit(request)
        self._shelf.show(visit, "")
        return replace(await self._shelf.blank_screen(visit, persona_id), notice="").values()

    @plainly
    async def search(self, request: gr.Request, text: str) -> str:
        """The list, filtered."""
        visit = self._shelf.visit(request)
        self._shelf.search(visit, text)
        return await self._shelf.list_html(visit)

    @plainly
    async def rename(self, request: gr.Request, picked: gr.EventData) -> str:
        """Give a conversation another title; an empty one leaves it as it is."""
        visit = self._shelf.visit(request)
        title = field(picked, "title").strip()[:200]
        if title:
            await asyncio.to_thread(
                self._conversations.rename, visit.owner, field(picked, "id"), title
            )
        return await self._shelf.list_html(visit)

    @plainly
    async def delete(
        self, request: gr.Request, picked: gr.EventData, current: str, persona_id: str
    ) -> list[object]:
        """Hide a conversation and offer to take that back."""
        visit = self._shelf.visit(request)
        gone = await asyncio.to_thread(self._conversations.get, visit.owner, field(picked, "id"))
        if gone.id == current:
            self._shelf.show(visit, "")  # so that nothing of its growing answer is drawn any more
        self._shelf.live.stop(visit.owner, gone.id)
        await asyncio.to_thread(self._conversations.delete, visit.owner, gone.id)
        title = gone.title or visit.words("untitled")
        told = notice(visit.words("deleted", title=title), visit.words, restore_id=gone.id)
        if gone.id == current:
            screen = await self._shelf.blank_screen(visit, persona_id)
        else:
            screen = Screen(conversations=await self._shelf.list_html(visit))
        return replace(screen, notice=told).values()

    @plainly
    async def restore(self, request: gr.Request, picked: gr.EventData) -> list[object]:
        """Take a deletion back, and show what was deleted."""
        visit = self._shelf.visit(request)
        conversation_id = field(picked, "id")
        await asyncio.to_thread(self._conversations.restore, visit.owner, conversation_id)
        self._shelf.show(visit, conversation_id)
        screen = await self._shelf.conversation_screen(visit, conversation_id)
        return replace(screen, notice="").values()

    @plainly
    async def choose_persona(
        self, request: gr.Request, persona_id: str, current: str
    ) -> list[object]:
        """Another assistant, from the next answer on."""
        visit = self._shelf.visit(request)
        if not current:
            return (await self._shelf.blank_screen(visit, persona_id)).values()
        persona = self._shelf.persona(persona_id)
        await asyncio.to_thread(
            self._conversations.set_persona, visit.owner, current, persona.id, persona.system_prompt
        )
        return (await self._shelf.conversation_screen(visit, current)).values()

    @plainly
    async def save_instructions(self, request: gr.Request, text: str, current: str) -> str:
        """Keep an edited system prompt; a new chat takes it along when it begins."""
        visit = self._shelf.visit(request)
        if not current or not await self._shelf.instruct(visit, current, text):
            return ""
        return notice(visit.words("instructions_saved"), visit.words)

    @plainly
    async def export(self, request: gr.Request, picked: gr.EventData, current: str) -> str:
        """The conversation as a file: its name, type and text, which the page's script saves."""
        visit = self._shelf.visit(request)
        if not current:
            raise refusal(visit.words("nothing_to_export"), visit.words)
        conversation = await asyncio.to_thread(self._conversations.get, visit.owner, current)
        name = _UNSAFE.sub(" ", conversation.title).strip() or "conversation"
        if field(picked, "format") == "markdown":
            branch = await asyncio.to_thread(self._conversations.branch, visit.owner, current)
            text, kind, ending = export_markdown(conversation, branch), "text/markdown", "md"
        else:
            every = await asyncio.to_thread(self._conversations.messages, visit.owner, current)
            text, kind, ending = export_json(conversation, every), "application/json", "json"
        return json.dumps({"name": f"{name}.{ending}", "type": kind, "text": text})

    @plainly
    async def take_in(self, request: gr.Request, data: bytes) -> list[object]:
        """A conversation from a file this page exported before, here or elsewhere."""
        visit = self._shelf.visit(request)
        made = await asyncio.to_thread(import_json, self._conversations, visit.owner, data)
        self._shelf.show(visit, made.id)
        screen = await self._shelf.conversation_screen(visit, made.id)
        told = notice(visit.words("imported", title=made.title), visit.words)
        return replace(screen, notice=told).values()
