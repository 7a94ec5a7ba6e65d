"""Optional API keys for ``/v1``."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from chatapp.errors import ChatAppError

_BEARER = HTTPBearer(auto_error=False, description="Needed only when the server has keys set.")


class WrongKey(ChatAppError):
    """No API key, or one that is not known."""

    http_status = 401

    @property
    def code(self) -> str:
        """The name OpenAI's clients know."""
        return "invalid_api_key"


def key_check(
    keys: Sequence[SecretStr],
) -> Callable[[HTTPAuthorizationCredentials | None], Awaitable[None]]:
    """A FastAPI dependency that lets a request through if it carries one of ``keys``.

    Without keys everybody passes. Every key is compared in constant time, so that the time an
    answer takes says nothing about how close a guess was.
    """
    secrets = [key.get_secret_value().encode() for key in keys]

    async def check(
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> None:
        if not secrets:
            return
        if given is None:
            raise WrongKey("This server needs an API key. Send it as Authorization: Bearer KEY.")
        offered = given.credentials.encode()
        if not sum(hmac.compare_digest(offered, secret) for secret in secrets):
            raise WrongKey("The API key is not valid on this server.")

    return check
