"""Talks HTTP with an OpenAI-compatible server, and says in a sentence what went wrong.

httpx, not the ``openai`` package: the UI brings httpx along anyway, the main process stays 12 MB
smaller, and the streams of servers that only nearly follow OpenAI's stay readable.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from chatapp.engine.remote.stream import message_of
from chatapp.errors import ChatAppError, RemoteError

_BACK_OFF = (0.5, 1.5)
"""Seconds before the second and the third try."""

_LONGEST_RETRY_AFTER = 5.0
_RETRIED = (429, 503)
_NO_ANSWER = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    # A kept connection that the server was just closing, or a server that is restarting.
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteServer:
    """Where the remote server is and how patient to be with it.

    Attributes:
        base_url: up to and including ``/v1``.
        model: its name there; None takes the first one that the server lists.
        context_length: longest prompt and answer in tokens; less if the server says less.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds of silence before the server is given up.
    """

    base_url: str
    api_key: str | None = None
    model: str | None = None
    context_length: int = 8192
    connect_timeout: float = 5.0
    read_timeout: float = 120.0


class StatusError(RemoteError):
    """The server answered with an error status; ``Wire.explain`` makes a sentence of it."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(f"status {status}: {message_of(body)}")
        self.status = status
        self.body = body


class Wire:
    """One server's connections."""

    def __init__(self, server: RemoteServer) -> None:
        self._server = server
        key = server.api_key
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(server.read_timeout, connect=server.connect_timeout, pool=None),
            # Idle connections are dropped before the usual 5 seconds after which servers close
            # them, so that no request is sent into a connection that is just going away.
            limits=httpx.Limits(max_connections=None, keepalive_expiry=2.0),
        )
        self.place = server.base_url.rstrip("/")

    @property
    def root(self) -> str:
        """The address without its ``/v1``, where servers keep what OpenAI does not have."""
        return self.place.removesuffix("/v1")

    async def close(self) -> None:
        """Cut every connection."""
        await self._client.aclose()

    async def get(self, url: str) -> object:
        """The JSON at ``url``; raises RemoteError, for an error status StatusError."""
        async with self.open("GET", url) as response:
            return await self._json(response)

    async def post(self, url: str, body: Json) -> object:
        """The JSON that ``body`` is answered with; raises like ``get``."""
        async with self.open("POST", url, body) as response:
            return await self._json(response)

    @asynccontextmanager
    async def open(
        self, method: str, url: str, body: Json | None = None
    ) -> AsyncIterator[httpx.Response]:
        """A successful response, its body still to be read; leaving closes the connection.

        Connections that fail before the answer begins are tried again, and so are servers that
        are busy.

        Raises:
            RemoteError: the server cannot be reached, or falls silent, or hangs up.
            StatusError: it answered with an error.
        """
        with self._sentences():
            response = await self._send(method, url, body)
            try:
                yield response
            finally:
                await response.aclose()

    async def _send(self, method: str, url: str, body: Json | None) -> httpx.Response:
        for pause in (*_BACK_OFF, None):
            request = self._client.build_request(method, url, json=body)
            try:
                response = await self._client.send(request, stream=True)
            except _NO_ANSWER:
                if pause is None:
                    raise
            else:
                if response.is_success:
                    return response
                try:
                    if pause is None or response.status_code not in _RETRIED:
                        await response.aread()
                        raise StatusError(response.status_code, _body(response))
                finally:
                    await response.aclose()
                pause = max(pause, _retry_after(response))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  # spreads clients
        raise AssertionError("the last try returns or raises")

    def _sentences(self) -> _Sentences:
        return _Sentences(self._server, self.place)

    async def _json(self, response: httpx.Response) -> object:
        await response.aread()
        body = _body(response)
        if isinstance(body, str):
            raise RemoteError(
                f"The server at {self.place} answered, but not in JSON. Check that "
                "CHATAPP_REMOTE_BASE_URL is an OpenAI-compatible server; it usually ends in /v1."
            )
        return body

    def explain(self, error: StatusError) -> ChatAppError:
        """The error a reader should see for an error status."""
        status, said = error.status, message_of(error.body)
        if status in (401, 403):
            return refusal(
                f"The remote server at {self.place} refused the API key. Check "
                "CHATAPP_REMOTE_API_KEY."
            )
        if isinstance(error.body, str):
            said = "It sent a page that is not JSON." if "<" in error.body else said
        if status == 404:
            return refusal(
                f"The remote server at {self.place} does not know the model or the address: "
                f"{said} Check CHATAPP_REMOTE_MODEL and CHATAPP_REMOTE_BASE_URL."
            )
        if status < 500:
            return refusal(f"The remote server at {self.place} refused the request: {said}")
        return RemoteError(
            f"The remote server at {self.place} failed with status {status}: {said} "
            "Please try again."
        )


def refusal(sentence: str) -> RemoteError:
    """An error for which sending the same request again is of no use."""
    error = RemoteError(sentence)
    error.retryable = False
    return error


class _Sentences:
    """Turns httpx's errors into RemoteErrors on the way out of a ``with`` block."""

    def __init__(self, server: RemoteServer, place: str) -> None:
        self._server = server
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL | httpx.StreamError):
            raise RemoteError(self._sentence(error)) from error

    def _sentence(self, error: Exception) -> str:
        server = f"The remote server at {self._place}"
        match error:
            case httpx.ConnectTimeout():
                return (
                    f"{server} did not take a connection within "
                    f"{self._server.connect_timeout:g} seconds. Check that it runs."
                )
            case httpx.ConnectError():
                return (
                    f"{server} cannot be reached: {error}. Check CHATAPP_REMOTE_BASE_URL and that "
                    "the server runs."
                )
            case httpx.TimeoutException():
                return (
                    f"{server} was silent for {self._server.read_timeout:g} seconds and was given "
                    "up. Please try again."
                )
            case httpx.UnsupportedProtocol() | httpx.InvalidURL():
                return f"{self._place!r} is not an address. Check CHATAPP_REMOTE_BASE_URL."
            case _:
                return f"{server} closed the connection before the answer was complete."


def _body(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text


def _retry_after(response: httpx.Response) -> float:
    """Seconds the server asks us to wait, as far as we are willing to; dates are not read."""
    asked = response.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_RETRY_AFTER) if asked.isdigit() else 0.0
