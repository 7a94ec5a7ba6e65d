"""A small app in a process of its own, to be killed in the middle of an answer.

Prints one JSON line for every event that a reader would have seen.
"""

from __future__ import annotations

import asyncio
import json
import sys

from chatapp.events import Began, Token
from chatapp.flows.chat import Chat
from chatapp.records import Sampling
from chatapp.store import Conversations, Database, Messages
from tests.fakes import FakeEngine, Pause


async def main(url: str) -> None:
    database = Database(url)
    database.migrate()
    conversations = Conversations(database)
    engine = FakeEngine()
    engine.say("Half ", "of ", "an 答案 ", Pause(), "never seen")
    chat = Chat(engine, conversations, Messages(database))
    conversation = conversations.create("ann", "tutor", "")
    async for event in chat.reply("ann", conversation.id, "A question?", Sampling()):
        if isinstance(event, Began):
            print(json.dumps({"began": conversation.id}), flush=True)
        if isinstance(event, Token):
            print(json.dumps({"token": event.text}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
