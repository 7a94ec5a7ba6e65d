"""Two answers to one question, written at once by two adapters, and blind votes on them.

The model is asked directly, without the documents: what the team's knowledge answers word for word
would be the same on both sides. Both sides read the same prompt and draw with the same seed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Final

from chatapp.errors import InvalidRequest, NotFound
from chatapp.events import Done, Failed, Queued, Token
from chatapp.feedback_records import NewVote, Tally, Verdict
from chatapp.flows.answering import Answering
from chatapp.flows.comparison import SIDES, Answer, Comparison, Side
from chatapp.flows.picking import PicksAdapters
from chatapp.flows.tallies import Tallies
from chatapp.records import ChatMessage, Sampling
from chatapp.store.votes import Votes

_KEPT: Final = 500
"""Comparisons that can still be voted on."""
LONGEST_QUESTION: Final = 8_000
"""Characters."""


class Comparing:
    """Asks two at once, and counts which is found better. For one event loop.

    Args:
        coin: whether the second is to stand on the left.
    """

    def __init__(
        self,
        answering: Answering,
        adapters: PicksAdapters,
        votes: Votes,
        coin: Callable[[], bool] = lambda: bool(secrets.randbits(1)),
    ) -> None:
        self._answering = answering
        self._adapters = adapters
        self._votes = votes
        self._tallies = Tallies(votes)
        self._coin = coin
        self._open: OrderedDict[str, Comparison] = OrderedDict()
        self._writing: dict[str, list[asyncio.Task[None]]] = {}

    async def ask(
        self,
        question: str,
        first: str,
        second: str,
        *,
        blind: bool,
        system_prompt: str = "",
        sampling: Sampling | None = None,
    ) -> AsyncGenerator[Comparison, None]:
        """Both answers, growing side by side; closing the generator stops both.

        Args:
            question: what both are asked.
            first, second: ``live``, ``base`` or a name.
            blind: names kept back, and sides drawn by lot.

        Raises:
            InvalidRequest: no question, too long a one, or twice the same adapter.
            NotFound: no such adapter.
            ModelError: one cannot be loaded.
        """
        asked = _checked(question)
        adapters = (await self._adapters.pick(first), await self._adapters.pick(second))
        if adapters[0] == adapters[1]:
            raise InvalidRequest(
                f"Both sides would be answered by {adapters[0] or 'the base model'}. Choose two "
                "different ones."
            )
        comparison = Comparison(
            secrets.token_hex(8), asked, adapters, self._coin() if blind else False, blind
        )
        self._remember(comparison)
        messages = [ChatMessage("user", asked)]
        if system_prompt.strip():
            messages.insert(0, ChatMessage("system", system_prompt))
        drawn = sampling or Sampling()
        if drawn.seed is None:
            drawn = replace(drawn, seed=secrets.randbelow(2**31))
        async with aclosing(self._grow(comparison, messages, drawn)) as growth:
            async for _ in growth:
                yield comparison

    def find(self, id: str) -> Comparison:  # noqa: A002
        """A comparison of this server's.

        Raises:
            NotFound: none of that id, or too many came after it.
        """
        found = self._open.get(id)
        if found is None:
            raise NotFound("This comparison is no longer here. Ask once more to vote.")
        return found

    def stop(self, id: str) -> None:  # noqa: A002
        """End both answers where they are; what is not being written is no mistake."""
        for task in self._writing.get(id, ()):
            task.cancel()

    async def vote(self, id: str, choice: str) -> Comparison:  # noqa: A002
        """Keep a verdict: ``left``, ``right``, ``tie`` or ``both_bad``.

        Raises:
            NotFound: no such comparison.
            InvalidRequest: it was voted on already, is not blind, or is not complete.
        """
        comparison = self.find(id)
        verdict = _verdict(comparison, choice)
        if not comparison.can_vote:
            raise InvalidRequest(
                "A vote counts once, on two complete answers whose names were hidden."
            )
        new = NewVote(
            question=comparison.question,
            adapters=comparison.adapters,
            answers=_in_order(comparison),
            swapped=comparison.swapped,
            verdict=verdict,
        )
        comparison.voting = True
        try:
            comparison.vote = await asyncio.to_thread(self._votes.add, new)
        finally:
            comparison.voting = False
        return comparison

    async def unvote(self, id: str) -> Comparison:  # noqa: A002
        """Take a vote back. The names are known now, so there is no second one."""
        comparison = self.find(id)
        if comparison.vote is not None:
            await asyncio.to_thread(self._votes.remove, comparison.vote.id)
            comparison.vote, comparison.blind = None, False
        return comparison

    def tallies(self) -> Sequence[Tally]:
        """How each pair has fared; see ``Tallies.pairs``. Blocking."""
        return self._tallies.pairs()

    def tally(self, name: str | None) -> Sequence[Tally]:
        """How one adapter has fared; see ``Tallies.of``. Blocking."""
        return self._tallies.of(name)

    def _remember(self, comparison: Comparison) -> None:
        self._open[comparison.id] = comparison
        if len(self._open) > _KEPT:
            self._open.popitem(last=False)

    async def _grow(
        self, comparison: Comparison, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[None, None]:
        """One item whenever one of the two answers has changed."""
        changed = asyncio.Event()

        async def write(side: Side) -> None:
            adapter, answer = comparison.adapter(side), comparison.answers[side]
            events = self._answering.answer(messages, sampling, face="staff", adapter=adapter)
            async with aclosing(events):
                async for event in events:
                    _take(answer, event)
                    changed.set()

        def ended(side: Side, task: asyncio.Task[None]) -> None:
            answer = comparison.answers[side]
            answer.done, answer.stopped = True, task.cancelled()
            changed.set()

        tasks = [asyncio.create_task(write(side)) for side in SIDES]
        for side, task in zip(SIDES, tasks, strict=True):
            task.add_done_callback(partial(ended, side))
        self._writing[comparison.id] = tasks
        try:
            yield
            while not comparison.done:
                await changed.wait()
                changed.clear()
                yield
            yield  # both may have ended since
        finally:
            self.stop(comparison.id)
            await asyncio.gather(*tasks, return_exceptions=True)
            del self._writing[comparison.id]


def _take(answer: Answer, event: object) -> None:
    match event:
        case Queued(ahead):
            answer.waiting = ahead
        case Token(text):
            answer.text += text
        case Done():
            answer.seconds = event.timing.total
        case Failed():
            answer.failure = event.sentence


def _checked(question: str) -> str:
    asked = question.strip()
    if not asked:
        raise InvalidRequest("The question is empty. Please write something first.")
    if len(asked) > LONGEST_QUESTION:
        raise InvalidRequest(
            f"The question is {len(asked):,} characters long, but at most {LONGEST_QUESTION:,} "
            "are allowed. Please shorten it."
        )
    return asked


def _verdict(comparison: Comparison, choice: str) -> Verdict:
    match choice:
        case "left" | "right":
            return "second" if (choice == "left") == comparison.swapped else "first"
        case "tie" | "both_bad":
            return choice
    raise InvalidRequest(f"{choice!r} is no verdict. Reload the page and try again.")


def _in_order(comparison: Comparison) -> tuple[str, str]:
    left, right = (comparison.answers[side].text for side in SIDES)
    return (right, left) if comparison.swapped else (left, right)
