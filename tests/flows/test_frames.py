"""Frames: paced for a page, alive while it waits, and over as soon as the answer is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from chatapp.events import Done, Event, Queued, Token, Trimmed
from chatapp.flows.frames import Frames
from chatapp.flows.titles import title_from
from chatapp.records import Timing, Usage

DONE = Done("stop", Usage(1, 1), Timing(0, 0, 0))


async def every(frames: Frames) -> list[Event]:
    async with asyncio.timeout(10), aclosing(frames.read()) as events:
        return [event async for event in events]


async def test_tokens_that_come_fast_are_drawn_together() -> None:
    async def source() -> AsyncGenerator[Event, None]:
        yield Trimmed(2)
        yield Queued(0)
        for letter in "abcdefgh":
            yield Token(letter)
            await asyncio.sleep(0)
        yield DONE

    events = await every(Frames(source()))
    assert events[:2] == [Trimmed(2), Queued(0)]
    assert events[-1] == DONE
    texts = [event.text for event in events if isinstance(event, Token)]
    assert "".join(texts) == "abcdefgh"
    assert texts[0] == "a"
    assert len(texts) == 2


async def test_a_long_wait_in_the_queue_shows_that_it_is_alive() -> None:
    seen_twice = asyncio.Event()

    async def source() -> AsyncGenerator[Event, None]:
        yield Queued(3)
        await seen_twice.wait()
        yield DONE

    events: list[Event] = []
    async with asyncio.timeout(10), aclosing(Frames(source(), quiet=0.01).read()) as read:
        async for event in read:
            events.append(event)
            if events.count(Queued(3)) == 2:
                seen_twice.set()
    assert events[0] == events[1] == Queued(3)
    assert events[-1] == DONE


async def test_silence_between_tokens_repeats_nothing() -> None:
    async def source() -> AsyncGenerator[Event, None]:
        yield Token("a")
        await asyncio.sleep(0.05)
        yield Token("b")

    assert await every(Frames(source(), quiet=0.001)) == [Token("a"), Token("b")]


async def test_closing_the_frames_closes_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[Event, None]:
        try:
            yield Token("a")
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with asyncio.timeout(10), aclosing(Frames(source()).read()) as events:
        assert await anext(events) == Token("a")
    assert closed.is_set()


async def test_an_exception_of_the_source_arrives() -> None:
    async def source() -> AsyncGenerator[Event, None]:
        yield Token("a")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await every(Frames(source()))


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Hi", "Hi"),
        ("  two\n\nlines\t here ", "two lines here"),
        ("x" * 48, "x" * 48),
        ("x" * 49, "x" * 48 + "…"),
        (
            "How do I return a pair of shoes, which are far too small for me?",
            "How do I return a pair of shoes, which are far…",
        ),
        (
            "Which of these, apples or oranges or pears, are: good for me?",
            "Which of these, apples or oranges or pears…",
        ),
        ("我" * 60, "我" * 48 + "…"),
        ("a " + "我" * 60, "a " + "我" * 46 + "…"),
    ],
)
def test_a_title_is_the_beginning_in_whole_words(question: str, title: str) -> None:
    assert title_from(question) == title
    assert len(title) <= 49
