"""The OpenVINO engine, on tiny models that are converted through the real path."""

from __future__ import annotations

from pathlib import Path

from chatapp.engine.base import Engine
from chatapp.engine.openvino.engine import OpenVINOEngine
from chatapp.engine.openvino.ir import convert
from tests.engine_contract import EngineContract
from tests.tiny_models import TinyModel, tiny_gguf, tiny_hf


def tiny_engine(
    folder: Path, model: TinyModel, *, max_running: int = 4, max_waiting: int = 8
) -> OpenVINOEngine:
    """A GGUF with ``model``'s weights, converted, and the engine on it."""
    convert(tiny_gguf(folder / "tiny.gguf", model), folder / "ir", lambda step, share: None)
    return OpenVINOEngine(
        folder / "ir",
        tokenizer=tiny_hf(folder / "hf", model),
        model_name="tiny",
        quantization="F16",
        context_length=model.context,
        max_running=max_running,
        max_waiting=max_waiting,
        kv_cache_gb=0.05,
    )


class TestOpenVINOEngine(EngineContract):
    def make(self, folder: Path, model: TinyModel, *, max_running: int, max_waiting: int) -> Engine:
        return tiny_engine(folder, model, max_running=max_running, max_waiting=max_waiting)
