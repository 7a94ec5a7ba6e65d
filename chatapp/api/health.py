"""Is it alive, would it answer, and how is it doing."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from chatapp.api.schemas import EngineBody, Health
from chatapp.engine.base import Engine
from chatapp.metrics import Metrics


def health_routes(engine: Engine, metrics: Metrics) -> APIRouter:
    """``/healthz`` and ``/readyz`` for whoever restarts and routes, ``/metrics`` for Prometheus."""
    router = APIRouter(tags=["health"])

    def health() -> Health:
        running, waiting = engine.load()
        return Health(
            ready=engine.ready,
            engine=EngineBody(**asdict(engine.info)) if engine.ready else None,
            running=running,
            waiting=waiting,
            memory_bytes=engine.memory_bytes(),
        )

    @router.get("/healthz", summary="Alive: always 200, and says whether it is ready")
    async def healthz() -> Health:
        return health()

    @router.get(
        "/readyz",
        summary="Ready: 200 once a question would be answered",
        response_model=Health,
        responses={503: {"model": Health, "description": "Not yet, or not any more."}},
    )
    async def readyz() -> Response:
        body = health()
        return JSONResponse(body.model_dump(), 200 if body.ready else 503)

    @router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def read_metrics() -> Response:
        page, content_type = metrics.render()
        return Response(page, media_type=content_type)

    return router
