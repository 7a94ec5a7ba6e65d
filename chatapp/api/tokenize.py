"""``POST /tokenize``: how long a prompt is, in the shape of vLLM's route of that name.

It lets one app use another as its remote engine and still know when a prompt is too long.
"""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chatapp.api.limits import BoundedRoute
from chatapp.api.models import Catalogue
from chatapp.api.schemas import RequestMessage
from chatapp.engine.base import Engine


class TokenizeRequest(BaseModel):
    """A conversation to measure."""

    model_config = ConfigDict(strict=True)

    model: str | None = None
    messages: list[RequestMessage] = Field(min_length=1)


class TokenCount(BaseModel):
    """The length of the prompt that the messages make, and the longest possible."""

    count: int
    max_model_len: int


def tokenize_routes(engine: Engine, catalogue: Catalogue) -> APIRouter:
    """The route, counting with ``engine``."""
    router = APIRouter(route_class=BoundedRoute, tags=["models"])

    @router.post("/tokenize", summary="Count the tokens of a conversation")
    async def tokenize(request: TokenizeRequest) -> TokenCount:
        voice = await catalogue.find(request.model)
        messages = voice.prepare([message.to_chat() for message in request.messages])
        count = await engine.count_tokens(messages)
        return TokenCount(count=count, max_model_len=engine.info.context_length)

    return router
