"""The API on a real port, around whatever engine a test brings."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from chatapp.api.app import create_api
from chatapp.api.models import ChoosesAdapters
from chatapp.engine.base import Engine
from chatapp.flows.answering import Answering
from chatapp.flows.classifying import Classifying
from chatapp.metrics import Metrics
from chatapp.records import Persona, Sampling

WAIT = 30
"""Most seconds that any one thing may take; only a hang comes near it."""

PERSONA = Persona(
    id="pirate",
    name="Pirate",
    description="Talks like one.",
    system_prompt="Talk like a pirate.",
    sampling=Sampling(max_tokens=77, temperature=0.2),
)


def make_api(
    engine: Engine,
    keys: Sequence[str] = (),
    metrics: Metrics | None = None,
    adapters: ChoosesAdapters | None = None,
    classifying: Classifying | None = None,
) -> FastAPI:
    """The API around ``engine``."""
    metrics = metrics or Metrics()
    return create_api(
        Answering(engine, metrics),
        engine,
        metrics,
        {PERSONA.id: PERSONA},
        [SecretStr(key) for key in keys],
        adapters=adapters,
        classifying=classifying,
    )


@asynccontextmanager
async def serving(asgi: FastAPI) -> AsyncIterator[str]:
    """Serve on a free port, in this event loop; gives the address."""
    # asyncio sends small answers at once only on sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # requests made before the server runs wait in the backlog
    server = uvicorn.Server(uvicorn.Config(asgi, log_level="error", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        async with asyncio.timeout(WAIT):
            await serving


async def until(true: Callable[[], object]) -> None:
    """Give everybody else their turn until it is true."""
    async with asyncio.timeout(WAIT):
        while not true():  # noqa: ASYNC110  # the engine under test has no event for this
            await asyncio.sleep(0.005)
