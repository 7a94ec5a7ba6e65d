"""Who may see the staff's pages: until accounts come, whoever knows the staff password.

Without a password they are open only to the person at this very machine: the app has to listen
on loopback, and the request has to say so too. Its ``Host`` must be a loopback name (another
site's name that was made to resolve to 127.0.0.1 is not), its ``Origin`` as well, and it must not
have come through a proxy, behind which anybody may stand.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import HTTPConnection, cookie_parser

from chatapp.api.attempts import Attempts
from chatapp.errors import AccessDenied, ChatAppError

COOKIE: Final = "chatapp_staff"
SESSION_SECONDS: Final = 12 * 3600
"""How long a sign-in lasts: a working day."""
_PROXY_HEADERS: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class WrongPassword(ChatAppError):
    """The staff password was not right."""

    http_status = 401


class TooManyAttempts(ChatAppError):
    """Wrong passwords have come too fast."""

    http_status = 429
    retryable = True


class StaffGate:
    """Tells staff from everybody else.

    Args:
        host: the address the app listens on.
        password: the staff password; None leaves the pages to the person at this machine.
        secret: signs the cookies.
    """

    def __init__(
        self,
        host: str,
        password: str | None,
        secret: str,
        attempts: Attempts | None = None,
    ) -> None:
        self._password = password
        self._local = password is None and is_loopback(host)
        self._attempts = attempts or Attempts()
        # The password is part of the salt: changing it ends every session.
        fingerprint = hmac.digest(secret.encode(), (password or "").encode(), "sha256").hex()
        self._signer = URLSafeTimedSerializer(secret, salt=f"chatapp.staff.{fingerprint}")

    @property
    def has_password(self) -> bool:
        """Whether staff sign in."""
        return self._password is not None

    @property
    def closed(self) -> bool:
        """Whether nobody can enter: no password is set, and others can reach this address."""
        return self._password is None and not self._local

    def is_staff(self, request: HTTPConnection) -> bool:
        """Whether this request may see what only staff see."""
        return self.admits(request.headers)

    def admits(self, headers: Mapping[str, str]) -> bool:
        """The same for a request of which only the headers, in lower case, are at hand."""
        if self._password is not None:
            return self._valid(cookie_parser(headers.get("cookie") or "").get(COOKIE))
        return self._local and _from_this_machine(headers)

    def sign_in(self, password: str, address: str | None) -> str:
        """The value of the cookie that opens the pages.

        Raises:
            AccessDenied: no password is set.
            TooManyAttempts: too many wrong ones came before.
            WrongPassword: it is not the password.
        """
        if self._password is None:
            raise AccessDenied("No staff password is set, so nobody can sign in.")
        wait = self._attempts.begin(address)
        if wait:
            raise TooManyAttempts(
                f"Too many wrong passwords. Try again in {wait} seconds.", seconds=wait
            )
        # Of the digests, so that the time says nothing about the password's length either.
        given, known = (
            hashlib.sha256(text.encode()).digest() for text in (password, self._password)
        )
        if not hmac.compare_digest(given, known):
            raise WrongPassword("That is not the staff password.")
        self._attempts.succeeded(address)
        return self._signer.dumps(secrets.token_urlsafe(12))

    def _valid(self, cookie: str | None) -> bool:
        try:
            self._signer.loads(cookie or "", max_age=SESSION_SECONDS)
        except BadSignature:
            return False
        return True


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address without a port, is this machine's own."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_own_page(headers: Mapping[str, str]) -> bool:
    """Whether what sent this request is a page of this app, or no page at all.

    Browsers name the page's origin with everything but plain navigation, and no page can change
    it. So a request that would change something is refused when another site's page sent it.
    """
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    # A proxy may have put its own name for us into Host, and kept the public one here.
    named = [headers.get("host") or "", headers.get("x-forwarded-host") or ""]
    return urlsplit(origin).netloc.lower() in {name.strip().lower() for name in named if name}


def _from_this_machine(headers: Mapping[str, str]) -> bool:
    if any(headers.get(name) is not None for name in _PROXY_HEADERS):
        return False
    origin = headers.get("origin")
    return _names_loopback(f"//{headers.get('host') or ''}") and (
        origin is None or _names_loopback(origin)
    )


def _names_loopback(address: str) -> bool:
    try:
        return is_loopback(urlsplit(address).hostname or "")
    except ValueError:  # not an address at all
        return False
