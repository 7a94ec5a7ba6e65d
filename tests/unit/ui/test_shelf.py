from __future__ import annotations

import asyncio
import threading
from datetime import UTC
from pathlib import Path

from chatapp.flows.chat import Chat
from chatapp.records import Message, Sampling
from chatapp.store import Conversations, Database, Messages
from chatapp.ui.shelf import Rooms, Shelf
from chatapp.ui.texts import Words
from chatapp.ui.thread import text_of
from chatapp.ui.visit import Visit
from tests.fakes import FakeEngine, Pause


class Slow(Conversations):
    """Lets an answer end while its conversation is being read."""

    pause: Pause | None = None

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.ended = threading.Event()
        self.loop = asyncio.get_running_loop()

    def branch(self, owner: str, id: str, leaf_id: str | None = None) -> list[Message]:  # noqa: A002
        read = super().branch(owner, id, leaf_id)
        if self.pause:
            self.loop.call_soon_threadsafe(self.pause.go_on)
            assert self.ended.wait(10)
        return read


async def test_what_an_answer_became_while_it_was_read_is_not_lost(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'shelf.db'}")
    database.migrate()
    engine, conversations, pause = FakeEngine(), Slow(database), Pause()
    await engine.start()
    messages = Messages(database)
    chat = Chat(engine, conversations, messages)
    shelf = Shelf(Rooms(chat, conversations, messages, engine, {}), lambda _: "owner")
    made = conversations.create("owner", "p", "")
    engine.say("The beginning", pause, " and the end")
    live = shelf.live.start("owner", made.id, chat.reply("owner", made.id, "hi", Sampling()))
    assert live.task is not None
    live.task.add_done_callback(lambda _: conversations.ended.set())
    async for _ in live.changes():
        if live.text:
            break
    conversations.pause = pause
    thread = await shelf.thread(Visit("owner", "tab", Words("en"), UTC), made.id)
    assert thread.messages[-1].text == "The beginning"
    assert text_of(thread.messages[-1], thread.live) == "The beginning and the end"
    assert not thread.busy
    database.close()
