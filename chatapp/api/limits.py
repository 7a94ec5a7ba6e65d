"""How much a request may carry."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Message

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Largest request; about a million tokens of text."""


class BoundedRoute(APIRoute):
    """A route that stops reading a request's body at ``MAX_BODY_BYTES``.

    FastAPI's own ``max_body_size`` answers in plain text, which OpenAI's clients cannot read.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind the limit; raises HTTPException 413."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            taken = 0

            async def receive() -> Message:
                nonlocal taken
                message = await request.receive()
                taken += len(message.get("body", b""))
                if taken > MAX_BODY_BYTES:
                    raise HTTPException(413)
                return message

            announced = request.headers.get("content-length", "")
            if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
                raise HTTPException(413)
            return await handle(Request(request.scope, receive))

        return bounded
