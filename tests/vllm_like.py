"""A small server that speaks what vLLM speaks: OpenAI's API, and adapters loaded while it runs.

After vllm/entrypoints/openai/models/serving.py: its routes, statuses and sentences.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.responses import Response

from chatapp.engine.base import Engine
from chatapp.errors import ModelError
from tests.faces.api_app import make_api


class Load(BaseModel):
    lora_name: str
    lora_path: str
    load_inplace: bool = False


class Unload(BaseModel):
    lora_name: str


def vllm_like(engine: Engine) -> FastAPI:
    """The server around a started engine."""
    app = make_api(engine)
    router = APIRouter()
    paths: dict[str, str] = {}

    @router.get("/v1/models")
    async def models() -> dict[str, object]:
        base = engine.info.model
        longest = engine.info.context_length
        adapters = [{"id": name, "root": path, "parent": base} for name, path in paths.items()]
        return {"data": [{"id": base, "root": base, "max_model_len": longest}, *adapters]}

    @router.post("/v1/load_lora_adapter")
    async def load(request: Load) -> Response:
        name, path = request.lora_name, request.lora_path
        if name in paths and not request.load_inplace:
            return _error(
                400,
                f"The lora adapter '{name}' has already been loaded. If you want to load the "
                "adapter in place, set 'load_inplace' to True.",
            )
        if not (Path(path) / "adapter_config.json").is_file():
            return _error(404, f"Loading lora {name} failed: No adapter found for {path}")
        try:
            await engine.load_adapter(name, Path(path))
        except ModelError as error:
            return _error(500, error.sentence)
        paths[name] = path
        return PlainTextResponse(f"Success: LoRA adapter '{name}' added successfully.")

    @router.post("/v1/unload_lora_adapter")
    async def unload(request: Unload) -> Response:
        name = request.lora_name
        if name not in paths:
            return _error(404, f"The lora adapter '{name}' cannot be found.")
        del paths[name]
        await engine.unload_adapter(name)
        return PlainTextResponse(f"Success: LoRA adapter '{name}' removed successfully.")

    # In front of our own list of models.
    app.router.routes[:0] = router.routes
    return app


def _error(status: int, message: str) -> Response:
    error = {"message": message, "type": "Error", "param": None, "code": status}
    return JSONResponse({"error": error}, status)
