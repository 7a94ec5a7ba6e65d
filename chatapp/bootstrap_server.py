"""The address that is listened on, and the server that answers there."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from chatapp.errors import SettingsError

GRACE_SECONDS = 3
"""How long answers may go on when the server is asked to stop."""


class Server(uvicorn.Server):
    """Says when it really listens."""

    def __init__(self, asgi: FastAPI, started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                asgi,
                log_level="warning",
                proxy_headers=True,
                forwarded_allow_ips="*",
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._announce = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything slow happens.

    Raises:
        SettingsError: the address is in use, or not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once (TCP_NODELAY); without, they
    # wait 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Stop the program that "
            "uses the port, or set CHATAPP_PORT to another one.",
            port=port,
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
