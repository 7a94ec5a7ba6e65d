"""Two answers at once, and blind votes on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from chatapp.errors import EngineDied, InvalidRequest, NotFound
from chatapp.flows.answering import Answering
from chatapp.flows.chat import Chat
from chatapp.flows.comparing import Comparing
from chatapp.flows.comparison import Comparison
from chatapp.metrics import Metrics
from chatapp.records import Sampling
from chatapp.store import Conversations, Database, Messages, Votes
from tests.fakes import FakeEngine, Pause


class Shelf:
    """Two adapters, of which one is live; both are loaded when they are picked."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def pick(self, choice: str) -> str | None:
        if choice == "base":
            return None
        name = "returns-1" if choice == "live" else choice
        if name not in ("returns-1", "returns-2"):
            raise NotFound(f"There is no adapter named {name}.")
        await self._engine.load_adapter(name, Path("somewhere"))
        return name


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'chat.db'}")
    database.migrate()
    yield database
    database.close()


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    engine = FakeEngine()
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def comparing(engine: FakeEngine, database: Database) -> Comparing:
    return Comparing(
        Answering(engine, Metrics()), Shelf(engine), Votes(database), coin=lambda: True
    )


async def compared(comparing: Comparing, question: str = "Why?", **options: object) -> Comparison:
    asked = {"first": "base", "second": "live", "blind": True} | options
    growing = comparing.ask(question, **asked)  # type: ignore[arg-type]
    return [one async for one in growing][-1]


async def test_both_grow_at_once_from_the_same_prompt_and_seed(
    comparing: Comparing, engine: FakeEngine
) -> None:
    left, right = Pause(), Pause()
    engine.say("A", left, "a")
    engine.say("B", right, "b")
    frames: list[tuple[str, str]] = []
    right_is_done = asyncio.Event()

    async def read() -> Comparison:
        async for one in comparing.ask(
            "Why?", "base", "returns-2", blind=False, system_prompt="Be kind."
        ):
            frames.append((one.answers["left"].text, one.answers["right"].text))
            was_done = one.done
            if frames[-1] == ("A", "Bb"):
                right_is_done.set()
            last = one
        assert was_done  # whoever draws the frames has seen the end
        return last

    reading = asyncio.create_task(read())
    await left.reached()
    await right.reached()
    right.go_on()
    async with asyncio.timeout(10):
        await right_is_done.wait()
    left.go_on()
    done = await reading
    assert done.done
    assert frames[-1] == ("Aa", "Bb")
    one, other = engine.asked
    assert {one.adapter, other.adapter} == {None, "returns-2"}
    assert one.messages == other.messages
    assert one.sampling == other.sampling
    assert one.sampling.seed is not None
    assert not done.can_vote  # nothing was hidden


async def test_a_blind_vote_counts_for_the_adapter_wherever_it_stood(
    comparing: Comparing, engine: FakeEngine
) -> None:
    engine.say("from the left")
    engine.say("from the right")
    one = await compared(comparing)
    assert one.names_hidden
    assert (one.adapter("left"), one.adapter("right")) == ("returns-1", None)  # swapped
    await comparing.vote(one.id, "left")
    assert not one.names_hidden
    assert one.vote is not None
    assert (one.vote.verdict, one.vote.answers) == ("second", ("from the right", "from the left"))
    with pytest.raises(InvalidRequest, match="counts once"):
        await comparing.vote(one.id, "right")
    (tally,) = comparing.tally("returns-1")
    assert (tally.other, tally.wins, tally.losses, tally.win_rate) == (None, 1, 0, 1.0)
    (base,) = comparing.tally(None)
    assert (base.other, base.wins, base.losses, base.win_rate) == ("returns-1", 0, 1, 0.0)
    assert [(pair.adapter, pair.other) for pair in comparing.tallies()] == [("returns-1", None)]


async def test_ties_count_for_neither_and_a_vote_can_be_taken_back(comparing: Comparing) -> None:
    tie = await compared(comparing)
    await comparing.vote(tie.id, "tie")
    bad = await compared(comparing, first="live", second="base")
    await comparing.vote(bad.id, "both_bad")
    (tally,) = comparing.tally("base")
    assert (tally.ties, tally.both_bad, tally.votes, tally.win_rate) == (1, 1, 2, None)
    await comparing.unvote(bad.id)
    assert comparing.tally("base")[0].votes == 1
    with pytest.raises(InvalidRequest):  # the names are known by now
        await comparing.vote(bad.id, "left")


async def test_what_makes_no_sense_is_refused(comparing: Comparing) -> None:
    for question, options, sentence in (
        (" ", {}, "question is empty"),
        ("x" * 8_001, {}, "8,001 characters"),
        ("Why?", {"first": "returns-1"}, "Both sides would be answered by returns-1"),
        ("Why?", {"first": "base", "second": "base"}, "the base model"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            await compared(comparing, question, **options)
    with pytest.raises(NotFound):
        await compared(comparing, second="nobody")
    one = await compared(comparing)
    with pytest.raises(InvalidRequest, match="no verdict"):
        await comparing.vote(one.id, "first")
    with pytest.raises(NotFound, match="Ask once more"):
        await comparing.vote("gone", "left")


async def test_one_side_may_fail_and_then_nobody_can_vote(
    comparing: Comparing, engine: FakeEngine
) -> None:
    engine.say("fine")
    engine.say("half", EngineDied("The model stopped."))
    one = await compared(comparing)
    assert sorted(answer.failure for answer in one.answers.values()) == ["", "The model stopped."]
    assert not one.can_vote
    with pytest.raises(InvalidRequest):
        await comparing.vote(one.id, "left")


async def test_leaving_stops_both(comparing: Comparing, engine: FakeEngine) -> None:
    first, second = Pause(), Pause()
    engine.say("A", first, "never")
    engine.say("B", second, "never")
    async with aclosing(comparing.ask("Why?", "base", "live", blind=True)) as growing:
        async for one in growing:
            if one.answers["left"].text and one.answers["right"].text:
                break
    assert [asked.ended for asked in engine.asked] == ["cancelled", "cancelled"]
    assert all(answer.stopped for answer in one.answers.values())
    assert not one.can_vote


async def test_both_can_be_stopped_and_keep_what_was_written(
    comparing: Comparing, engine: FakeEngine
) -> None:
    engine.say("A", Pause(), "never")
    engine.say("B", Pause(), "never")
    async for one in comparing.ask("Why?", "base", "live", blind=True):
        if one.answers["left"].text and one.answers["right"].text:
            comparing.stop(one.id)
    assert (one.answers["left"].text, one.answers["right"].text) == ("A", "B")
    assert one.done
    assert not one.can_vote
    comparing.stop(one.id)
    async for one in comparing.ask("Why?", "base", "live", blind=True):
        comparing.stop(one.id)  # before either began
    assert all(answer.stopped for answer in one.answers.values())


async def test_the_chat_uses_what_is_live_and_remembers_who_wrote(
    engine: FakeEngine, database: Database
) -> None:
    conversations = Conversations(database)
    seen: list[tuple[str, str]] = []
    chat = Chat(
        engine,
        conversations,
        Messages(database),
        adapters=Shelf(engine),
        on_question=lambda id_, text: seen.append((id_, text)),
    )
    made = conversations.create("ann", "service", "Be kind.")
    for choice in ("live", "base", "returns-2"):
        async for _ in chat.reply("ann", made.id, choice, Sampling(), choice):
            pass
    with pytest.raises(NotFound):
        async for _ in chat.reply("ann", made.id, "No", Sampling(), "nobody"):
            pass
    branch = conversations.branch("ann", made.id)
    assert [one.adapter for one in branch if one.role == "assistant"] == [
        "returns-1", None, "returns-2"
    ]  # fmt: skip
    assert [asked.adapter for asked in engine.asked] == ["returns-1", None, "returns-2"]
    assert seen == [(one.id, one.text) for one in branch if one.role == "user"]
    async for _ in chat.retry("ann", made.id, branch[-1].id, Sampling(), "base"):
        pass
    assert engine.asked[-1].adapter is None
