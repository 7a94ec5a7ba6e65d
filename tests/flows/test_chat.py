"""A question becomes a streamed answer, and nothing that was shown is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from chatapp.errors import EngineBusy, EngineDied, InvalidRequest, NotFound, StorageError
from chatapp.events import Began, Done, Event, Failed, Queued, Token, Trimmed
from chatapp.flows.answering import Answering
from chatapp.flows.chat import LONGEST_QUESTION, Chat
from chatapp.metrics import Metrics
from chatapp.records import ChatMessage, Message, Sampling, Usage
from chatapp.store import Conversations, Database, Messages
from tests.fakes import FakeEngine, Pause

PLAIN = Sampling(max_tokens=64)


@dataclass
class House:
    """Everything a chat needs, and a conversation of ann's in it."""

    engine: FakeEngine
    conversations: Conversations
    messages: Messages
    metrics: Metrics
    database: Database

    def __post_init__(self) -> None:
        self.chat = Chat(self.engine, self.conversations, self.messages, self.metrics)
        self.answering = Answering(self.engine, self.metrics)
        self.id = self.conversations.create("ann", "tutor", "Be kind.").id

    def branch(self) -> list[Message]:
        return self.conversations.branch("ann", self.id)

    def texts(self) -> list[str]:
        return [message.text for message in self.branch()]

    async def ask(self, question: str) -> list[Event]:
        return await every(self.chat.reply("ann", self.id, question, PLAIN))

    def outcome(self, outcome: str, face: str = "ui") -> float | None:
        labels = {"face": face, "outcome": outcome}
        return self.metrics.registry.get_sample_value("chatapp_answers_total", labels)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/chat.db?timeout=5")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def house(database: Database) -> House:
    return House(
        FakeEngine(context_length=200),
        Conversations(database),
        Messages(database),
        Metrics(),
        database,
    )


async def every(events: AsyncGenerator[Event, None]) -> list[Event]:
    async with asyncio.timeout(10), aclosing(events):
        return [event async for event in events]


async def until(events: AsyncGenerator[Event, None], kind: type[Event]) -> Event:
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the stream ended without {kind}")


def shown(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


class TestReply:
    async def test_a_question_is_answered_stored_and_counted(self, house: House) -> None:
        house.engine.say("Hello", " Ann", "!")
        events = await house.ask("Hi there, 你好")
        question, answer = house.branch()
        assert events[0] == Began(house.id, question.id, answer.id)
        assert shown(events) == "Hello Ann!"
        assert isinstance(events[-1], Done)
        assert (question.role, question.text) == ("user", "Hi there, 你好")
        assert (answer.text, answer.status, answer.model) == (
            "Hello Ann!",
            "complete",
            "fake-model",
        )
        assert (answer.usage, answer.timing) == (events[-1].usage, events[-1].timing)
        assert house.engine.asked[0].messages == (
            ChatMessage("system", "Be kind."),
            ChatMessage("user", "Hi there, 你好"),
        )
        assert house.conversations.get("ann", house.id).title == "Hi there, 你好"
        assert house.outcome("stop") == 1

    async def test_the_next_question_brings_the_history(self, house: House) -> None:
        await house.ask("one")
        await house.ask("two")
        assert [m.content for m in house.engine.asked[1].messages] == [
            "Be kind.",
            "one",
            "one",
            "two",
        ]
        assert house.conversations.get("ann", house.id).title == "one"

    async def test_the_first_token_comes_alone_and_the_rest_in_frames(self, house: House) -> None:
        pause = Pause()
        house.engine.say("a", pause, *"bcdefghij")
        events: list[Event] = []
        async for event in house.chat.reply("ann", house.id, "q", PLAIN):
            events.append(event)
            if event == Token("a"):
                pause.go_on()
        frames = [event.text for event in events if isinstance(event, Token)]
        assert frames == ["a", "bcdefghij"]

    async def test_text_is_saved_before_it_is_shown(self, house: House) -> None:
        pauses = [Pause(), Pause()]
        house.engine.say("one ", pauses[0], "two ", pauses[1], "three")
        seen = ""
        async for event in house.chat.reply("ann", house.id, "q", PLAIN):
            if isinstance(event, Token):
                seen += event.text
                assert house.branch()[-1].text == seen
                assert house.branch()[-1].status == "writing"
                if pauses:
                    pauses.pop(0).go_on()
            if isinstance(event, Done):
                assert house.branch()[-1].status == "complete"
        assert seen == "one two three"

    @pytest.mark.parametrize("question", ["", " \n\t", "x" * (LONGEST_QUESTION + 1)])
    async def test_an_impossible_question_is_refused(self, house: House, question: str) -> None:
        with pytest.raises(InvalidRequest):
            await house.ask(question)
        assert house.branch() == []

    async def test_nobody_asks_in_another_ones_conversation(self, house: House) -> None:
        answer = (await house.ask("q"))[0]
        assert isinstance(answer, Began)
        for events in (
            house.chat.reply("bob", house.id, "q", PLAIN),
            house.chat.retry("bob", house.id, answer.answer_id, PLAIN),
            house.chat.edit("bob", house.id, answer.question_id, "q", PLAIN),
        ):
            with pytest.raises(NotFound):
                await every(events)
        with pytest.raises(NotFound):
            await house.chat.undo("bob", house.id, answer.answer_id)
        assert house.texts() == ["q", "q"]

    async def test_one_answer_at_a_time_in_a_conversation(self, house: House) -> None:
        pause = Pause()
        house.engine.say("a", pause, "b")
        first = house.chat.reply("ann", house.id, "q", PLAIN)
        await until(first, Token)
        with pytest.raises(InvalidRequest, match="still being written"):
            await house.ask("q2")
        with pytest.raises(InvalidRequest, match="still being written"):
            await every(house.chat.retry("ann", house.id, house.branch()[0].id, PLAIN))
        pause.go_on()
        await every(first)
        assert house.texts() == ["q", "ab"]
        await house.ask("q2")

    async def test_conversations_are_answered_beside_each_other(self, house: House) -> None:
        other = house.conversations.create("bob", "tutor", "").id
        pause = Pause()
        house.engine.say("a", pause, "b")
        first = house.chat.reply("ann", house.id, "q", PLAIN)
        await until(first, Token)
        await every(house.chat.reply("bob", other, "me too", PLAIN))
        pause.go_on()
        await every(first)
        assert house.texts() == ["q", "ab"]


class TestBranches:
    async def test_a_retry_is_a_second_answer(self, house: House) -> None:
        await house.ask("q")
        question, old = house.branch()
        house.engine.say("better")
        await every(house.chat.retry("ann", house.id, old.id, PLAIN))
        assert house.texts() == ["q", "better"]
        assert house.engine.asked[1].messages == house.engine.asked[0].messages
        new = house.branch()[-1]
        assert house.conversations.siblings("ann", house.id) == {new.id: [old.id, new.id]}
        house.conversations.show("ann", house.id, old.id)
        assert house.texts() == ["q", "q"]
        await every(house.chat.retry("ann", house.id, question.id, PLAIN))
        assert len(house.conversations.siblings("ann", house.id)[house.branch()[-1].id]) == 3

    async def test_an_edited_question_is_a_second_branch(self, house: House) -> None:
        await house.ask("one")
        await house.ask("two")
        before = house.branch()
        await every(house.chat.edit("ann", house.id, before[2].id, "zwei", PLAIN))
        assert house.texts() == ["one", "one", "zwei", "zwei"]
        await every(house.chat.edit("ann", house.id, before[0].id, "eins", PLAIN))
        assert house.texts() == ["eins", "eins"]
        house.conversations.show("ann", house.id, before[0].id)
        assert house.texts() == ["one", "one", "zwei", "zwei"]
        house.conversations.show("ann", house.id, before[2].id)
        assert house.branch() == before

    async def test_an_answer_cannot_be_edited(self, house: House) -> None:
        await house.ask("q")
        with pytest.raises(InvalidRequest, match="Only a question"):
            await every(house.chat.edit("ann", house.id, house.branch()[1].id, "x", PLAIN))

    async def test_an_answer_without_a_question_cannot_be_written_again(self, house: House) -> None:
        greeting = house.messages.add(house.id, None, "assistant", "Hello!")
        with pytest.raises(InvalidRequest, match="no question"):
            await every(house.chat.retry("ann", house.id, greeting.id, PLAIN))

    @pytest.mark.parametrize("place", [2, 3])
    async def test_undo_gives_the_question_back(self, house: House, place: int) -> None:
        await house.ask("one")
        await house.ask("two")
        before = house.branch()
        assert await house.chat.undo("ann", house.id, before[place].id) == "two"
        assert house.texts() == ["one", "one"]
        await house.ask("zwei")
        new = house.branch()[2]
        assert house.conversations.siblings("ann", house.id) == {new.id: [before[2].id, new.id]}

    async def test_undo_stops_what_is_being_written(self, house: House) -> None:
        house.engine.say("part", Pause(), "never")
        events = house.chat.reply("ann", house.id, "q", PLAIN)
        await until(events, Token)
        answer = house.branch()[-1]
        assert await house.chat.undo("ann", house.id, answer.id) == "q"
        rest = await every(events)
        assert isinstance(rest[-1], Done)
        assert rest[-1].reason == "cancelled"
        assert house.branch() == []
        assert house.conversations.message("ann", house.id, answer.id).status == "stopped"


class TestStopping:
    async def test_stop_keeps_what_was_written(self, house: House) -> None:
        pause = Pause()
        house.engine.say("one ", "two", pause, "three")
        events = house.chat.reply("ann", house.id, "q", PLAIN)
        began = await until(events, Began)
        await pause_after_first(events, pause)
        assert house.chat.stop(began.answer_id)
        rest = await every(events)
        done = rest[-1]
        assert isinstance(done, Done)
        assert done.reason == "cancelled"
        assert done.usage == Usage(prompt_tokens=5, completion_tokens=2)
        answer = house.branch()[-1]
        assert (answer.text, answer.status, answer.finish_reason) == (
            "one two",
            "stopped",
            "cancelled",
        )
        assert (answer.usage, answer.timing) == (done.usage, done.timing)
        assert house.engine.asked[0].ended == "cancelled"
        assert house.engine.load() == (0, 0)
        assert house.outcome("cancelled") == 1
        assert not house.chat.stop(began.answer_id)

    async def test_stop_before_the_engine_was_asked(self, house: House) -> None:
        events = house.chat.reply("ann", house.id, "q", PLAIN)
        began = await until(events, Began)
        assert house.chat.stop(began.answer_id)
        rest = await every(events)
        assert [type(event) for event in rest] == [Done]
        assert house.branch()[-1].status == "stopped"
        assert house.engine.asked == []

    async def test_stop_before_the_first_token(self, house: House) -> None:
        pause = Pause()
        house.engine.say(pause, "never")
        events = house.chat.reply("ann", house.id, "q", PLAIN)
        began = await until(events, Began)
        reading = asyncio.create_task(every(events))
        await pause.reached()
        assert house.chat.stop(began.answer_id)
        rest = await reading
        assert [type(event) for event in rest] == [Queued, Done]
        assert (house.branch()[-1].text, house.branch()[-1].status) == ("", "stopped")
        assert house.engine.load() == (0, 0)

    async def test_stop_works_from_another_thread(self, house: House) -> None:
        house.engine.say("part", Pause())
        events = house.chat.reply("ann", house.id, "q", PLAIN)
        began = await until(events, Began)
        await until(events, Token)
        assert await asyncio.to_thread(house.chat.stop, began.answer_id)
        assert isinstance((await every(events))[-1], Done)

    async def test_stop_while_waiting_in_the_queue(self, database: Database) -> None:
        engine = FakeEngine(max_running=1)
        house = House(engine, Conversations(database), Messages(database), Metrics(), database)
        pause = Pause()
        engine.say(pause, "first")
        first = asyncio.create_task(house.ask("q"))
        await pause.reached()
        other = house.conversations.create("bob", "tutor", "").id
        waiting = house.chat.reply("bob", other, "me too", PLAIN)
        began = await until(waiting, Began)
        assert await until(waiting, Queued) == Queued(1)
        assert engine.load() == (1, 1)
        assert house.chat.stop(began.answer_id)
        assert [type(event) for event in await every(waiting)] == [Done]
        assert engine.load() == (1, 0)
        assert house.conversations.branch("bob", other)[-1].status == "stopped"
        pause.go_on()
        assert shown(await first) == "first"

    @pytest.mark.parametrize("last_seen", [Began, Queued, Token])
    @pytest.mark.parametrize("way", ["close", "cancel"])
    async def test_a_reader_who_leaves_frees_the_slot(
        self, house: House, last_seen: type[Event], way: str
    ) -> None:
        pause = Pause()
        house.engine.say(*(["part", pause] if last_seen is Token else [pause, "part"]))
        events = house.chat.reply("ann", house.id, "q", PLAIN)
        if way == "close":
            await until(events, last_seen)
            await events.aclose()
        else:
            reached = asyncio.Event()

            async def read() -> None:
                async with aclosing(events):
                    async for event in events:
                        if isinstance(event, last_seen):
                            reached.set()
                            await asyncio.sleep(0)

            reading = asyncio.create_task(read())
            async with asyncio.timeout(10):
                await reached.wait()
            reading.cancel()
            await asyncio.wait([reading])
            assert reading.cancelled()
        answer = house.branch()[-1]
        assert answer.status == "stopped"
        assert answer.text == ("part" if last_seen is Token else "")
        assert house.engine.load() == (0, 0)
        pause.go_on()
        await house.ask("again")
        assert house.branch()[-1].status == "complete"

    async def test_a_reader_of_a_stateless_answer_who_leaves_frees_the_slot(
        self, house: House
    ) -> None:
        house.engine.say("part", Pause())
        events = house.answering.answer([ChatMessage("user", "q")], PLAIN, face="api")
        await until(events, Token)
        assert house.engine.load() == (1, 0)
        await events.aclose()
        assert house.engine.load() == (0, 0)
        assert house.outcome("cancelled", "api") == 1


async def pause_after_first(events: AsyncGenerator[Event, None], pause: Pause) -> None:
    await until(events, Token)
    await pause.reached()


class TestFailing:
    async def test_a_failure_is_a_sentence_and_keeps_the_text(self, house: House) -> None:
        house.engine.say("part", EngineDied("The worker died."))
        events = await house.ask("q")
        assert events[-1] == Failed("EngineDied", "The worker died.", retryable=True)
        answer = house.branch()[-1]
        assert (answer.text, answer.status) == ("part", "failed")
        assert (answer.error, answer.error_code) == ("The worker died.", "EngineDied")
        assert answer.finish_reason is None
        assert house.outcome("EngineDied") == 1
        await house.ask("again")
        contents = [m.content for m in house.engine.asked[-1].messages]
        assert contents == ["Be kind.", "q", "part", "again"]

    async def test_a_question_after_an_empty_failure_keeps_turns_alternating(
        self, house: House
    ) -> None:
        house.engine.say(EngineDied("The worker died."))
        await house.ask("q")
        await house.ask("and more")
        contents = [m.content for m in house.engine.asked[-1].messages]
        assert contents == ["Be kind.", "q\n\nand more"]

    async def test_a_full_house_answers_at_once(self, house: House) -> None:
        house.engine.say(EngineBusy(4, 4))
        failed = (await house.ask("q"))[-1]
        assert isinstance(failed, Failed)
        assert failed.code == "EngineBusy"
        assert failed.retryable
        assert house.branch()[-1].status == "failed"

    async def test_a_surprise_is_logged_under_the_reference_it_shows(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        house.engine.say("part", RuntimeError("secret detail"))
        failed = (await house.ask("q"))[-1]
        assert isinstance(failed, Failed)
        assert failed.code == "InternalError"
        assert failed.retryable
        assert "secret" not in failed.sentence
        reference = failed.sentence.split("reference ")[1].split(")")[0]
        assert reference in caplog.text
        assert "secret detail" in caplog.text
        assert house.branch()[-1].error == failed.sentence

    async def test_a_full_disk_ends_the_answer_with_a_sentence(self, house: House) -> None:
        pause = Pause()
        house.engine.say("a", pause, "b" * 1_000_000)
        events = house.chat.reply("ann", house.id, "q", PLAIN)
        await until(events, Token)
        fill_disk(house.database)
        pause.go_on()
        failed = (await every(events))[-1]
        assert isinstance(failed, Failed)
        assert failed.code == "StorageError"
        assert "disk is full" in failed.sentence
        assert house.engine.load() == (0, 0)
        assert house.branch()[-1].text == "a"

    async def test_no_disk_for_the_question(self, house: House) -> None:
        fill_disk(house.database)
        with pytest.raises(StorageError, match="disk is full"):
            await house.ask("q " * 50_000)
        assert house.branch() == []


def fill_disk(database: Database) -> None:
    """No connection may grow the file any more."""
    connections = [database._engine.connect() for _ in range(3)]
    for connection in connections:
        connection.execute(text("PRAGMA max_page_count = 1"))
        connection.close()


class TestFitting:
    async def test_the_oldest_turns_are_dropped_and_that_is_said(self, house: House) -> None:
        leaf = None
        for _ in range(4):
            leaf = house.messages.add(house.id, leaf, "user", "w " * 30).id
            leaf = house.messages.add(house.id, leaf, "assistant", "w " * 9).id
        events = await house.ask("short")
        # 200 tokens, 50 of them for the answer: 3 + 2 for the ends, 41 a turn.
        assert events[1] == Trimmed(1)
        assert len(house.engine.asked[0].messages) == 8
        assert house.branch()[-1].dropped_turns == 1

    async def test_a_long_question_is_answered_shorter(self, house: House) -> None:
        house.engine.say(*["a "] * 100)
        events = await house.ask("w " * 180)
        assert house.engine.asked[0].sampling.max_tokens == 200 - 184
        done = events[-1]
        assert isinstance(done, Done)
        assert done.reason == "length"

    async def test_a_question_that_cannot_fit_fails_and_does_not_block(self, house: House) -> None:
        failed = (await house.ask("w " * 300))[-1]
        assert isinstance(failed, Failed)
        assert failed.code == "PromptTooLong"
        assert not failed.retryable
        assert isinstance((await house.ask("short"))[-1], Done)

    async def test_programs_get_the_same(self, house: House) -> None:
        history = [ChatMessage(role, "w " * 30) for _ in range(3) for role in ("user", "assistant")]
        question = ChatMessage("user", "last")
        events = await every(house.answering.answer([*history, question], PLAIN, face="api"))
        assert events[0] == Trimmed(1)
        assert shown(events) == "last"
        assert house.outcome("stop", "api") == 1
        failed = await every(house.answering.answer([], PLAIN, face="api"))
        assert [type(event) for event in failed] == [Failed]


def test_a_killed_app_loses_nothing_that_was_shown(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    app = subprocess.Popen(
        [sys.executable, "-m", "tests.flows.killed_app", url],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert app.stdout is not None
    conversation_id, seen = json.loads(app.stdout.readline())["began"], ""
    while seen != "Half of an 答案 ":
        seen += json.loads(app.stdout.readline())["token"]
    app.send_signal(signal.SIGKILL)
    app.wait(10)
    app.stdout.close()

    database = Database(url)
    database.migrate()
    conversations, messages = Conversations(database), Messages(database)
    assert messages.interrupt_unfinished() == 1
    question, answer = conversations.branch("ann", conversation_id)
    assert question.text == "A question?"
    assert (answer.text, answer.status) == (seen, "stopped")
    assert conversations.list("ann")[0].title == "A question?"
