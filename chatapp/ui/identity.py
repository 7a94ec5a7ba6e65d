"""Who a browser is: a signed cookie with a random id, until accounts come.

The middleware sets the cookie with the page itself, so every later request carries it. A forged
or missing cookie never raises: its bearer is simply somebody new.
"""

from __future__ import annotations

import secrets
from typing import Final

import gradio as gr
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "chatapp_browser"
_ONE_YEAR: Final = 365 * 24 * 3600


class Identity:
    """Signs ids and reads them back."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeSerializer(secret, salt="chatapp.browser")

    def issue(self) -> str:
        """A cookie value for a browser nobody has seen before."""
        return self._signer.dumps(secrets.token_urlsafe(18))

    def read(self, cookie: str | None) -> str | None:
        """The id inside a cookie value; None if it is missing or not signed by us."""
        if not cookie:
            return None
        try:
            owner = self._signer.loads(cookie)
        except BadSignature:
            return None
        return owner if isinstance(owner, str) else None

    def owner_of(self, request: gr.Request) -> str:
        """Whose conversations this request may see.

        Where a browser keeps no cookies (some do so inside a frame), the page's own random
        session stands in: its conversations are private too, but end with the tab.
        """
        owner = self.read(cookies_of(request).get(COOKIE))
        return owner if owner is not None else f"tab:{request.session_hash}"


class IdentityMiddleware:
    """Gives a page request without a valid cookie a fresh one."""

    def __init__(self, app: ASGIApp, identity: Identity, path: str = "/") -> None:
        self._app = app
        self._identity = identity
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._identity.read(parse_cookies(headers.get("cookie")).get(COOKIE)) is not None:
            await self._app(scope, receive, send)
            return
        cookie = self._set_cookie(secure=scope["scheme"] == "https")

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    def _set_cookie(self, *, secure: bool) -> str:
        # Behind https the page may live in a frame on another site, as on Hugging Face Spaces:
        # that needs SameSite=None, and Partitioned where third-party cookies are blocked.
        site = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
        value = self._identity.issue()
        return f"{COOKIE}={value}; Max-Age={_ONE_YEAR}; Path=/; HttpOnly; {site}"


def cookies_of(request: gr.Request) -> dict[str, str]:
    """The cookies of the HTTP request behind a Gradio event."""
    return parse_cookies(request.headers.get("cookie"))


def parse_cookies(header: str | None) -> dict[str, str]:
    """Name to value of a Cookie header."""
    return cookie_parser(header or "")
