"""Which adapter answers: promoted, taken back, and followed when another process does either."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from chatapp.errors import ChatAppError, NotFound
from chatapp.flows.adapters_serving import Serving
from chatapp.records import ChatMessage
from chatapp.store import Promotions, StoredAdapters
from chatapp.training_records import Adapter, Promotion, Slot

log = logging.getLogger(__name__)

SLOTS: tuple[Slot, ...] = ("chat", "intent", "topic", "sentiment")
LIVE, BASE = "live", "base"
"""Choices that are no adapter's name."""

_POLL_SECONDS = 2.0
"""How soon a promotion by another process is noticed."""
_RETRY_SECONDS = 30.0
"""Between two tries to load what could not be loaded."""


class LiveAdapters:
    """Keeps what answers in step with what the database says is live. For one event loop."""

    def __init__(self, stored: StoredAdapters, promotions: Promotions, serving: Serving) -> None:
        self._stored = stored
        self._promotions = promotions
        self._serving = serving
        self._changing = asyncio.Lock()
        self._problems: dict[Slot, str] = {}
        self._seen: str | None = None
        self._tried_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def problem(self, slot: Slot) -> str | None:
        """Why the live adapter does not answer on this server, in a sentence; None: it does."""
        return self._problems.get(slot)

    def try_out(self, adapter: Adapter) -> None:
        """Whether an adapter that is not taken in yet would work here. Blocking; not for the loop.

        Raises:
            ChatAppError: it does not, and why.
        """
        if adapter.slot != "chat":
            self._serving.open(adapter)
        elif self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._try_in_engine(adapter), self._loop).result()

    def answers(
        self, adapter: Adapter, prompts: Sequence[Sequence[ChatMessage]]
    ) -> Sequence[str] | None:
        """What an adapter says to conversations; None where no engine runs. Blocking, as above.

        Raises:
            ChatAppError: it cannot be loaded, or the engine is too busy.
        """
        if self._loop is None or not self._loop.is_running():
            return None
        asked = self._serving.answers(adapter, prompts)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()

    def dismiss(self, adapter: Adapter) -> None:
        """Let go of what was deleted. From any thread; returns at once."""
        if self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._serving.forget(adapter), self._loop)

    async def _try_in_engine(self, adapter: Adapter) -> None:
        await self._serving.load(adapter)
        await self._serving.forget(adapter)

    async def promote(self, candidate: Adapter, reason: str) -> Promotion:
        """Let an adapter answer from now on; answers being written end on the one before.

        It is loaded first, then the database says so, then new answers use it.

        Raises:
            ChatAppError: it cannot be loaded; what is live stays.
        """
        async with self._changing:
            await self._serving.load(candidate)
            made = await asyncio.to_thread(self._promotions.promote, candidate.id, reason)
            self._now_live(candidate.slot, candidate)
        return made

    async def rollback(self, slot: Slot) -> Promotion:
        """Bring back what was live before the last promotion.

        Raises:
            InvalidRequest: nothing was promoted that could be taken back.
            ChatAppError: what was live before cannot be loaded; what is live stays.
        """
        async with self._changing:
            before = await asyncio.to_thread(self._before, slot)
            if before is not None:
                await self._serving.load(before)
            made = await asyncio.to_thread(self._promotions.roll_back, slot)
            self._now_live(slot, before)
        return made

    async def load_live(self) -> None:
        """Load what is live, when a server starts, and what another process promoted since.

        One that is broken is logged, and what answered before, at first the base, goes on.
        """
        self._loop = asyncio.get_running_loop()
        revision = await asyncio.to_thread(self._promotions.revision)
        again = bool(self._problems) or self._serving.lost()
        due = time.monotonic() > self._tried_at + _RETRY_SECONDS
        if revision == self._seen and not (again and due):
            return
        async with self._changing:
            self._tried_at = time.monotonic()
            live = await asyncio.to_thread(self._promotions.live)
            for slot in SLOTS:
                await self._load(slot, live.get(slot))
            self._seen = revision

    async def watch(self) -> None:
        """Notice, for as long as the server runs, what other processes promote."""
        while True:
            try:
                await self.load_live()
            except ChatAppError as error:
                log.warning("What is live cannot be looked up: %s", error.sentence)
            except Exception:  # the watch must outlive whatever went wrong
                log.exception("What is live could not be looked up")
            await asyncio.sleep(_POLL_SECONDS)

    async def pick(self, choice: str) -> str | None:
        """The adapter that is to write an answer, by its name in the engine; None is the base.

        Args:
            choice: ``live``, ``base``, or an adapter's name; that one is loaded if need be.

        Raises:
            NotFound: there is no chat adapter of that name.
            ChatAppError: it cannot be loaded.
        """
        if choice == BASE:
            return None
        if choice == LIVE:
            return self._serving.live_name()
        try:
            adapter = await asyncio.to_thread(self._stored.get, choice)
        except NotFound:
            if choice in self._serving.foreign():
                return choice
            raise
        writer(adapter)
        await self._serving.load(adapter)
        return adapter.name

    def _now_live(self, slot: Slot, adapter: Adapter | None) -> None:
        self._serving.make_live(slot, adapter)
        self._problems.pop(slot, None)

    async def _load(self, slot: Slot, wanted: str | None) -> None:
        """Have the adapter with the id ``wanted`` answer."""
        if wanted is None:
            self._now_live(slot, None)
            return
        try:
            adapter = await asyncio.to_thread(self._stored.by_id, wanted)
            await self._serving.load(adapter)
        except ChatAppError as error:
            before = self._serving.live(slot)
            instead = f"{before.name} answers" if before else "The base answers"
            self._problems[slot] = f"{error.sentence} {instead} instead."
            log.error("What is live for %s cannot be used: %s", slot, self._problems[slot])
        else:
            self._now_live(slot, adapter)

    def _before(self, slot: Slot) -> Adapter | None:
        before = self._promotions.before(slot)
        return None if before is None else self._stored.by_id(before)


def writer(adapter: Adapter) -> Adapter:
    """The adapter itself, where it writes answers.

    Raises:
        NotFound: it is a classifier.
    """
    if adapter.slot != "chat":
        raise NotFound(f"{adapter.name} sorts messages ({adapter.slot}) and writes no answers.")
    return adapter
