"""Slots and the queue in front of them."""

from __future__ import annotations

import asyncio
import random

import pytest

from chatapp.engine.admission import Admission, Ticket
from chatapp.errors import EngineBusy


async def told(ticket: Ticket) -> list[int]:
    """Every position the ticket is told until it has a slot."""
    async with asyncio.timeout(5):
        return [ahead async for ahead in ticket.positions()]


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_free_slot_is_given_at_once() -> None:
    admission = Admission(2, 0)
    assert await told(admission.ticket()) == [0]
    assert await told(admission.ticket()) == [0]
    assert (admission.running, admission.waiting) == (2, 0)


async def test_a_full_queue_refuses_and_says_how_full() -> None:
    admission = Admission(1, 1)
    admission.ticket()
    admission.ticket()
    with pytest.raises(EngineBusy) as refused:
        admission.ticket()
    assert refused.value.facts == {"running": 1, "waiting": 1}
    assert (admission.running, admission.waiting) == (1, 1)


async def test_first_come_first_served_and_everyone_is_told_where_they_are() -> None:
    admission = Admission(1, 3)
    running = admission.ticket()
    waiting = [admission.ticket() for _ in range(3)]
    tasks = [asyncio.create_task(told(ticket)) for ticket in waiting]
    await settle()
    for ticket in (running, *waiting):
        ticket.release()
        await settle()
    assert [await task for task in tasks] == [[1, 0], [2, 1, 0], [3, 2, 1, 0]]
    assert (admission.running, admission.waiting) == (0, 0)


async def test_who_leaves_the_queue_moves_the_others_up() -> None:
    admission = Admission(1, 3)
    running = admission.ticket()
    first, second, third = (admission.ticket() for _ in range(3))
    task = asyncio.create_task(told(third))
    await settle()
    second.release()
    await settle()
    first.release()
    await settle()
    assert (admission.running, admission.waiting) == (1, 1)
    running.release()
    assert await task == [3, 2, 1, 0]


async def test_a_cancelled_wait_gives_the_place_back() -> None:
    admission = Admission(1, 1)
    running = admission.ticket()

    async def wait() -> None:
        ticket = admission.ticket()
        try:
            await told(ticket)
        finally:
            ticket.release()

    task = asyncio.create_task(wait())
    await settle()
    assert admission.waiting == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert admission.waiting == 0
    running.release()
    assert admission.running == 0


async def test_cancelling_just_as_the_slot_comes_loses_no_slot() -> None:
    admission = Admission(1, 1)
    running, waiting = admission.ticket(), admission.ticket()
    task = asyncio.create_task(told(waiting))
    await settle()
    running.release()  # admits, but the task has not noticed
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    waiting.release()
    assert (admission.running, admission.waiting) == (0, 0)


async def test_releasing_twice_counts_once() -> None:
    admission = Admission(2, 0)
    ticket, other = admission.ticket(), admission.ticket()
    ticket.release()
    ticket.release()
    assert admission.running == 1
    other.release()
    assert admission.running == 0


@pytest.mark.parametrize("seed", range(50))
async def test_nothing_is_lost_whatever_happens(seed: int) -> None:
    dice = random.Random(seed)
    slots, places = dice.randint(1, 3), dice.randint(0, 4)
    admission = Admission(slots, places)
    tickets: list[Ticket] = []
    for _ in range(60):
        if tickets and dice.random() < 0.5:
            tickets.pop(dice.randrange(len(tickets))).release()
        else:
            try:
                tickets.append(admission.ticket())
            except EngineBusy:
                assert len(tickets) == slots + places
        running = [ticket.running for ticket in tickets]
        assert running == sorted(running, reverse=True), "somebody was overtaken"
        assert admission.running == sum(running) == min(slots, len(tickets))
        assert admission.waiting == len(tickets) - sum(running)
