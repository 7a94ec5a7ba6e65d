"""Puts our styles and scripts into the page, ahead of Gradio's.

Gradio reads the reader's language once, from ``navigator.language``, before any script it can be
given runs, and has no other switch for it. So the choice has to be in place earlier: this
middleware adds ``assets/early.js`` to the page's head, then the other scripts, which components
call as soon as they are drawn, and the style sheets, whose rules about the whole page Gradio would
otherwise confine to its own container.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASSETS: Final = Path(__file__).parent / "assets"
_CHAT: Final = tuple(
    ASSETS / name
    for name in (
        *("early.js", "feedback.js", "compare.js", "chat.js", "sources.js"),
        *("chat.css", "sources.css", "feedback.css"),
    )
)
_HEAD: Final = b"<head>"
_FAVICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">'
    '<path fill="#0f766e" d="M7 0h6q7 0 7 7v6q0 7-7 7H2q-2 0-2-2V7q0-7 7-7z"/>'
    '<path fill="#fff" d="M6 6h8v8H6z"/></svg>'
)


class PageHeadMiddleware:
    """Adds them to the HTML document at ``path``; everything else passes through.

    Args:
        assets: scripts and style sheets, each kind in the order in which it is to be read.
    """

    def __init__(self, app: ASGIApp, path: str = "/", assets: Sequence[Path] = _CHAT) -> None:
        self._app = app
        self._path = path
        self._addition = _HEAD + _additions(assets).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        # A compressed document could not be added to; the document is small.
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message | None = None
        body = bytearray()

        async def send_with_additions(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body") or start is None:
                return
            document = bytes(body).replace(_HEAD, self._addition, 1)
            sent = MutableHeaders(scope=start)
            sent["content-length"] = str(len(document))
            sent["cache-control"] = "no-store"  # it may carry a browser's new identity
            await send(start)
            await send({"type": "http.response.body", "body": document})

        await self._app({**scope, "headers": headers}, receive, send_with_additions)


def _additions(assets: Sequence[Path]) -> str:
    scripts = "".join(f"<script>{_text(path)}</script>" for path in assets if path.suffix == ".js")
    styles = "".join(f"<style>{_text(path)}</style>" for path in assets if path.suffix == ".css")
    return f'{scripts}{styles}<link rel="icon" href="data:image/svg+xml,{quote(_FAVICON)}">'


def _text(path: Path) -> str:
    return path.read_text("utf-8")
