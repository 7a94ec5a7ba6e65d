"""Keeps a worker process alive: starts it, hears it, starts it again when it dies."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from chatapp.engine.openvino.process import WorkerProcess
from chatapp.engine.openvino.protocol import BASE, Ending, Options, Order
from chatapp.errors import EngineDied, EngineError, ModelError, NotFound

log = logging.getLogger(__name__)

_STEADY = 60.0
"""Seconds after which a death is no longer taken for a consequence of the one before."""

_MOST_DEATHS = 5
"""Deaths in quick succession after which the worker is given up."""

_ENDED_BADLY: dict[Ending, str] = {
    "memory": "The model's memory for conversations is full, so this answer could not be finished. "
    "Please try again in a moment, or raise CHATAPP_KV_CACHE_GB.",
    "rejected": "The model could not take this request. Please change the text and try again.",
}


@dataclass(frozen=True, slots=True)
class _Problem:
    """An error to raise afresh for everybody it meets."""

    kind: type[EngineDied] | type[ModelError]
    sentence: str

    def error(self) -> EngineDied | ModelError:
        return self.kind(self.sentence)


_NOT_RUNNING = _Problem(
    EngineDied, "The model is not running. Please try again when it has started."
)
_RESTARTING = _Problem(
    EngineDied,
    "The model process stopped unexpectedly and is being restarted. Please try again.",
)
_GIVEN_UP = _Problem(
    EngineDied,
    "The model process keeps stopping, so it is not restarted any more. Look at the server's log, "
    "then restart the app.",
)


@dataclass(frozen=True, slots=True)
class _Heard:
    tokens: list[int]
    over: Ending | None


class Supervisor:
    """The lanes and the requests of one engine, whichever worker process serves them just now."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._worker: WorkerProcess | None = None
        self._lanes: dict[str, Path | None] = {BASE: None}
        self._opening: set[str] = set()
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._requests: dict[int, asyncio.Queue[_Heard | _Problem]] = {}
        self._ids = itertools.count(1)
        self._settled = asyncio.Event()
        """Set while requests can go on: the worker is up, or there will be none again."""
        self._problem: _Problem | None = _NOT_RUNNING
        self._keeper: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether every lane answers."""
        return self._settled.is_set() and self._problem is None

    async def start(self) -> None:
        """Start the worker; return when the base lane answers.

        Raises:
            ModelError: the model cannot be loaded, with the reason.
        """
        self._problem = None
        self._settled.clear()
        self._keeper = asyncio.create_task(self._keep_alive())
        try:
            await self._wait()
        except EngineDied as error:
            raise ModelError(error.sentence) from error

    async def close(self) -> None:
        """End the worker; requests in progress or waiting end with EngineDied."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        self._give_up(_NOT_RUNNING)

    def memory_bytes(self) -> int:
        """The worker's resident set, in bytes."""
        return 0 if self._worker is None else self._worker.memory_bytes()

    async def open(self, lane: str, adapter: Path) -> None:
        """Build a lane of its own for an adapter folder.

        Raises:
            ModelError: the adapter does not fit, with the reason.
            EngineDied: the worker died meanwhile.
        """
        try:
            await self._ask("open", lane, adapter=str(adapter))
        except asyncio.CancelledError:
            if self._worker is not None:  # nobody would ever close it
                self._worker.say({"do": "close", "lane": lane})
            raise
        self._lanes[lane] = adapter

    def has(self, lane: str) -> bool:
        """Whether a lane is open, or will be again; it may be refused after a restart."""
        return lane in self._lanes

    async def shut(self, lane: str) -> None:
        """Free a lane once its answers are written."""
        if lane not in self._lanes:  # it could not be opened again after a restart
            return
        del self._lanes[lane]
        # A dead worker has no lanes, and the next one is not told of this one.
        with suppress(EngineDied):
            await self._ask("close", lane)

    async def generate(self, lane: str, order: Order) -> AsyncGenerator[list[int], None]:
        """New tokens, as they come. Closing the generator cancels the request.

        Raises:
            EngineError: the request could not be finished.
            EngineDied: the worker died with it.
        """
        worker = await self._wait()
        if lane not in self._lanes:
            raise NotFound("This adapter could not be loaded again after a restart of the model.")
        request = next(self._ids)
        heard: asyncio.Queue[_Heard | _Problem] = asyncio.Queue()
        self._requests[request] = heard
        over: Ending | None = None
        try:
            worker.say({"do": "start", "id": request, "lane": lane, "order": order})
            while over is None:
                item = await heard.get()
                if isinstance(item, _Problem):
                    raise item.error()
                over = item.over
                if item.tokens:
                    yield item.tokens
        finally:
            if self._requests.pop(request, None) is not None and over is None:
                worker.say({"do": "cancel", "id": request})
        if over != "finished":
            raise EngineError(_ENDED_BADLY[over])

    async def _wait(self) -> WorkerProcess:
        await self._settled.wait()
        if self._problem is not None:
            raise self._problem.error()
        assert self._worker is not None
        return self._worker

    async def _ask(self, what: str, lane: str, **more: object) -> None:
        worker = await self._wait()
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked[lane] = answer
        worker.say({"do": what, "lane": lane, **more})
        await answer

    async def _keep_alive(self) -> None:
        deaths = 0
        while True:
            began = time.monotonic()
            try:
                await self._one_life()
            except ModelError as error:
                self._give_up(_Problem(ModelError, error.sentence))
                return
            except (OSError, ValueError):
                log.exception("The model process could not be started or understood")
            deaths = deaths + 1 if time.monotonic() - began < _STEADY else 1
            log.error("The model process stopped unexpectedly (%d in a row)", deaths)
            if deaths >= _MOST_DEATHS:
                self._give_up(_GIVEN_UP)
                return
            self._fail_all(_RESTARTING)
            await asyncio.sleep(0 if deaths == 1 else 2.0 ** (deaths - 2))

    async def _one_life(self) -> None:
        """Start a worker, open every lane, and hear it until it dies."""
        worker = self._worker = await WorkerProcess.spawn(self._options)
        log.info("The model process is %d", worker.pid)
        try:
            self._opening = set(self._lanes)
            for lane, adapter in self._lanes.items():
                folder = None if adapter is None else str(adapter)
                worker.say({"do": "open", "lane": lane, "adapter": folder})
            async for message in worker.messages():
                self._hear(message)
        finally:
            self._settled.clear()
            self._worker = None
            await worker.end()

    def _hear(self, message: dict[str, object]) -> None:
        match message:
            case {"tokens": dict(tokens), "over": dict(over)}:
                for request in tokens.keys() | over.keys():
                    if heard := self._requests.get(int(request)):
                        heard.put_nowait(
                            _Heard(tokens.get(request, []), cast(Ending, over.get(request)))
                        )
            case {"opened": str(lane)} | {"closed": str(lane)}:
                self._answer(lane, None)
            case {"refused": str(lane), "reason": str(reason)}:
                if lane == BASE:
                    raise ModelError(reason)
                self._answer(lane, ModelError(reason))

    def _answer(self, lane: str, problem: ModelError | None) -> None:
        """A lane was opened, closed or refused: for somebody who asked, or after a restart."""
        asked = self._asked.pop(lane, None)
        if asked is not None and not asked.done():
            if problem is None:
                asked.set_result(None)
            else:
                asked.set_exception(problem)
        if lane in self._opening:
            self._opening.discard(lane)
            if problem is not None:
                log.error("After the restart: %s", problem.sentence)
                self._lanes.pop(lane, None)
            if not self._opening:
                self._settled.set()

    def _give_up(self, problem: _Problem) -> None:
        self._problem = problem
        self._fail_all(problem)
        self._settled.set()

    def _fail_all(self, problem: _Problem) -> None:
        requests, self._requests = self._requests, {}
        for heard in requests.values():
            heard.put_nowait(problem)
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            if not answer.done():
                answer.set_exception(problem.error())
