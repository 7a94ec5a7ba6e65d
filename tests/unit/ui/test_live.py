from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chatapp.events import Explained, Flagged, Routed, Sources, Token
from chatapp.flows.chat import Chat
from chatapp.knowledge_records import Flag, Grounding
from chatapp.records import Sampling
from chatapp.store import Conversations, Database, Messages
from chatapp.ui import live as module
from chatapp.ui.live import LiveAnswer, LiveAnswers
from tests.fakes import FakeEngine, Pause
from tests.grounded import TRACE, a_source


class Stage:
    """One conversation of one owner, and its answers."""

    def __init__(self, database: Database, engine: FakeEngine) -> None:
        self.engine = engine
        self.conversations = Conversations(database)
        self.chat = Chat(engine, self.conversations, Messages(database))
        self.answers = LiveAnswers(self.chat)
        self.id = self.conversations.create("owner", "p", "").id

    def ask(self, text: str = "hi") -> LiveAnswer:
        events = self.chat.reply("owner", self.id, text, Sampling())
        return self.answers.start("owner", self.id, events)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    database = Database(f"sqlite:///{tmp_path / 'live.db'}")
    database.migrate()
    engine = FakeEngine()
    await engine.start()
    yield Stage(database, engine)
    database.close()


async def ended(live: LiveAnswer) -> None:
    async with asyncio.timeout(10):
        async for _ in live.changes():
            pass


async def test_every_follower_sees_the_whole_answer(stage: Stage) -> None:
    pause = Pause()
    stage.engine.say("one", pause, " two")
    live = stage.ask()
    await pause.reached()
    late = asyncio.create_task(ended(live))
    pause.go_on()
    await ended(live)
    await late
    assert live.text == "one two"
    assert stage.answers.find("owner", stage.id) is None


async def test_only_its_owner_finds_or_stops_an_answer(stage: Stage) -> None:
    pause = Pause()
    stage.engine.say("one", pause)
    live = stage.ask()
    await pause.reached()
    assert stage.answers.find("thief", stage.id) is None
    assert stage.answers.stop("thief", stage.id) is False
    assert stage.answers.find("owner", stage.id) is live
    assert stage.answers.stop("owner", stage.id) is True
    await ended(live)
    assert stage.conversations.branch("owner", stage.id)[-1].status == "stopped"


async def test_an_answer_nobody_watches_is_stopped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.01)
    pause = Pause()
    stage.engine.say("one", pause)
    live = stage.ask()
    live.tabs |= {"first", "second"}
    await pause.reached()
    stage.answers.leave("first")
    await asyncio.gather(*stage.answers._leaving)
    assert not live.ended
    stage.answers.leave("second")
    await ended(live)
    assert stage.engine.asked[0].ended == "cancelled"


async def test_a_reload_in_time_keeps_the_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.05)
    pause = Pause()
    stage.engine.say("one", pause, " two")
    live = stage.ask()
    live.tabs.add("before")
    await pause.reached()
    stage.answers.leave("before")
    live.tabs.add("after")
    await asyncio.gather(*stage.answers._leaving)
    pause.go_on()
    await ended(live)
    assert live.text == "one two"
    assert stage.engine.asked[0].ended == "stop"


async def test_an_answer_gathers_what_it_leans_on() -> None:
    live, flag = LiveAnswer("o", "c"), Flag(start=0, end=3, reason="figure")
    found, cited = a_source(1, "x"), a_source(1, "x", cited=True)
    live.take(Routed("sources", "public"))
    live.take(Sources((found,)))
    live.take(Token("One"))
    live.take(Flagged(flag))
    assert live.grounding == Grounding(route="sources", sources=(found,), flags=(flag,))
    live.take(Sources((cited,)))
    live.take(Explained(TRACE))
    assert live.grounding == Grounding(
        route="sources", sources=(cited,), flags=(flag,), trace=TRACE
    )


async def test_without_a_collection_an_answer_has_no_grounding() -> None:
    live = LiveAnswer("o", "c")
    live.take(Routed("persona", ""))
    live.take(Sources(()))
    live.take(Explained(TRACE))
    assert live.grounding is None
