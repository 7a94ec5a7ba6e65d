"""HTTP responses that are written while the engine works, and stop it when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.responses import JSONResponse
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chatapp.api.errors import failure, failure_body
from chatapp.api.frames import Frames, Head
from chatapp.events import Done, Event, Failed, Token, Trimmed
from chatapp.flows.answering import as_failed
from chatapp.flows.grounds import Grounds

Events = AsyncGenerator[Event, None]

DROPPED_TURNS = "X-Dropped-Turns"
"""Header: how many of the oldest turns were left out, because the context was full."""

QUIET_SECONDS = 10.0
"""A stream that has nothing to say for this long sends a comment instead."""


class AnswerResponse(Response):
    """Reads an answer's events for as long as the client stays connected."""

    def __init__(self, events: Events, head: Head) -> None:
        super().__init__()
        self._events = events
        self._answer_head = head
        self._extra: dict[str, str] = {}
        self._grounds = Grounds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the answer; if the client leaves first, close the events, which cancels them."""

        async def write() -> None:
            async with aclosing(self._events):
                await self._write(scope, receive, send)

        writing = asyncio.create_task(write())
        leaving = asyncio.create_task(_client_left(receive))
        tasks = (writing, leaving)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not writing.cancelled():
            writing.result()

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError

    def _trimmed(self, event: Trimmed) -> None:
        self._extra[DROPPED_TURNS] = str(event.dropped_turns)


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class WholeAnswer(AnswerResponse):
    """The answer as one JSON object, once it is complete."""

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._collect()
        except Exception as error:  # noqa: BLE001  # logged under an id, answered with that id
            response = failure(as_failed(error))
        response.headers.update(self._extra)
        await response(scope, receive, send)

    async def _collect(self) -> Response:
        pieces: list[str] = []
        async for event in self._events:
            self._grounds.seen(event)
            match event:
                case Token(text):
                    pieces.append(text)
                case Trimmed():
                    self._trimmed(event)
                case Failed():
                    return failure(event)
                case Done(reason, usage):
                    grounding = self._grounds.grounding
                    whole = self._answer_head.whole("".join(pieces), reason, usage, grounding)
                    return JSONResponse(whole)
        raise RuntimeError("the answer's events ended without Done or Failed")


class StreamedAnswer(AnswerResponse):
    """The answer as server-sent events.

    The status is decided by what comes first: an answer that fails before its first text is an
    ordinary error response, unless it was silent for so long that a comment had to be sent.
    """

    def __init__(self, events: Events, head: Head, *, with_usage: bool) -> None:
        super().__init__(events, head)
        self._frames = Frames(head, with_usage=with_usage)
        self._opened = False
        self._spoke = False
        self._lock = asyncio.Lock()

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        keeping_alive = asyncio.create_task(self._keep_alive(send))
        try:
            failed = await self._relay(send)
        except Exception as error:  # noqa: BLE001  # logged under an id, answered with that id
            failed = as_failed(error)
        finally:
            keeping_alive.cancel()
        if failed and not self._opened:
            await failure(failed)(scope, receive, send)
        elif failed:
            await self._send(send, self._frames.error(failure_body(failed)), more=False)

    async def _relay(self, send: Send) -> Failed | None:
        """Send the answer; returns how it failed, which is still to be said."""
        async for event in self._events:
            self._grounds.seen(event)
            match event:
                case Token(text):
                    await self._send(send, self._frames.text(text))
                case Trimmed():
                    self._trimmed(event)
                case Failed():
                    return event
                case Done(reason, usage):
                    last = self._frames.last(reason, usage, self._grounds.grounding)
                    await self._send(send, last, more=False)
                    return None
        raise RuntimeError("the answer's events ended without Done or Failed")

    async def _send(self, send: Send, frame: bytes, *, more: bool = True) -> None:
        async with self._lock:
            self._spoke = True
            if not self._opened:
                self._opened = True
                frame = self._frames.first() + frame
                await send(
                    {
                        "type": "http.response.start",
                        "status": 200,
                        "headers": self._stream_headers(),
                    }
                )
            await send({"type": "http.response.body", "body": frame, "more_body": more})

    async def _keep_alive(self, send: Send) -> None:
        while True:
            self._spoke = False
            await asyncio.sleep(QUIET_SECONDS)
            if not self._spoke:
                await self._send(send, self._frames.waiting())

    def _stream_headers(self) -> list[tuple[bytes, bytes]]:
        headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache",
            "x-accel-buffering": "no",  # or nginx collects the whole answer before sending it
        }
        headers |= {name.lower(): value for name, value in self._extra.items()}
        return [(name.encode(), value.encode()) for name, value in headers.items()]
