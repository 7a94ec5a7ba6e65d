"""Puts the HTTP API together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastapi import Depends, FastAPI, Request
from pydantic import SecretStr

from chatapp import __version__
from chatapp.api.chat_completions import chat_routes
from chatapp.api.classify import classify_routes
from chatapp.api.errors import add_error_handlers
from chatapp.api.health import health_routes
from chatapp.api.keys import key_check
from chatapp.api.models import Catalogue, ChoosesAdapters, LoadedAdapters, model_routes
from chatapp.api.schemas import ErrorBody
from chatapp.api.tokenize import tokenize_routes
from chatapp.engine.base import Engine
from chatapp.flows.answering import Answering
from chatapp.flows.classifying import Classifying
from chatapp.metrics import Metrics
from chatapp.personas import answered_from
from chatapp.records import Persona

_DESCRIPTION = """Works with OpenAI's clients: set their base URL to this server's `/v1`.

A field that this server cannot honour is refused with status 422 and its name, never ignored."""


def create_api(
    answering: Answering,
    engine: Engine,
    metrics: Metrics,
    personas: Mapping[str, Persona],
    api_keys: Sequence[SecretStr] = (),
    is_staff: Callable[[Request], bool] = lambda _: False,
    adapters: ChoosesAdapters | None = None,
    classifying: Classifying | None = None,
) -> FastAPI:
    """The API as an ASGI app; it neither starts nor closes ``engine``.

    With ``api_keys``, everything under ``/v1`` needs one of them. Health, metrics and
    documentation stay open. Collections that no persona answers from are for callers with a key
    and for staff.
    """
    app = FastAPI(title="chatapp", version=__version__, description=_DESCRIPTION)
    add_error_handlers(app)
    adapters = adapters or LoadedAdapters(engine)
    catalogue = Catalogue(engine, personas, adapters)
    for_everybody = answered_from(personas)

    def may_ask(request: Request, collection: str) -> bool:
        return bool(api_keys) or collection.strip().lower() in for_everybody or is_staff(request)

    keyed = [Depends(key_check(api_keys))]
    refusals: dict[int | str, dict[str, object]] = {
        401: {"model": ErrorBody},
        413: {"model": ErrorBody},
    }
    routers = [
        (chat_routes(answering, catalogue, adapters, may_ask), "/v1"),
        (model_routes(catalogue), "/v1"),
        (tokenize_routes(engine, catalogue), ""),
    ]
    if classifying is not None:
        routers.append((classify_routes(classifying), "/v1"))
    for router, prefix in routers:
        app.include_router(router, prefix=prefix, dependencies=keyed, responses=refusals)
    app.include_router(health_routes(engine, metrics))
    return app
