"""One pipeline and the answers it is writing."""

from __future__ import annotations

import logging
import secrets
from collections import deque
from dataclasses import dataclass

import numpy as np
import openvino
import openvino_genai

from chatapp.engine.openvino.protocol import Ending, Order


@dataclass(slots=True)
class _Running:
    handle: openvino_genai.GenerationHandle
    cancelled: bool = False


class Lane:
    """Continuous batching on one pipeline.

    A lane that is not ``shared`` writes one answer at a time, and the next waits here: what else
    is in a batch changes the last bits of every number in it, and with them, now and then, a
    sampled token.
    """

    def __init__(
        self, pipeline: openvino_genai.ContinuousBatchingPipeline, *, shared: bool
    ) -> None:
        self._pipeline = pipeline
        self._shared = shared
        self._running: dict[int, _Running] = {}
        self._waiting: deque[tuple[int, Order]] = deque()
        self._rejected: list[int] = []

    @property
    def busy(self) -> bool:
        """Whether a step would do something."""
        return bool(self._running or self._waiting or self._rejected)

    def add(self, request: int, order: Order) -> None:
        """Take a request; ids are never used twice (the library would crash)."""
        self._waiting.append((request, order))
        self._admit()

    def cancel(self, request: int) -> None:
        """Stop an answer, here from the next step on; an unknown one is over already."""
        if request in self._running:
            # The handle is kept: dropping it in the middle of a step would lose the blocks.
            self._running[request].handle.cancel()
            self._running[request].cancelled = True
        self._waiting = deque(item for item in self._waiting if item[0] != request)

    def step(self) -> tuple[dict[int, list[int]], dict[int, Ending]]:
        """Compute one batch: new token ids, and which answers are over and how."""
        self._pipeline.step()
        tokens: dict[int, list[int]] = {}
        over: dict[int, Ending] = dict.fromkeys(self._rejected, "rejected")
        self._rejected = []
        for request, running in list(self._running.items()):
            handle = running.handle
            if not running.cancelled:
                new = _read(handle)
                if new:
                    tokens[request] = new
            status = handle.get_status()
            if status == openvino_genai.GenerationStatus.RUNNING:
                continue
            del self._running[request]
            if not running.cancelled:
                out_of_memory = status == openvino_genai.GenerationStatus.IGNORED
                over[request] = "memory" if out_of_memory else "finished"
        self._admit()
        return tokens, over

    def _admit(self) -> None:
        while self._waiting and (self._shared or not self._running):
            request, order = self._waiting.popleft()
            ids = openvino.Tensor(np.array([order["prompt"]], dtype=np.int64))
            try:
                handle = self._pipeline.add_request(request, ids, _generation_config(order))
            except RuntimeError:
                logging.exception("OpenVINO refused a request")
                self._rejected.append(request)
            else:
                self._running[request] = _Running(handle)


def _read(handle: openvino_genai.GenerationHandle) -> list[int]:
    new: list[int] = []
    while handle.can_read():  # reading an empty handle would block for ever
        for output in handle.read().values():
            new.extend(output.generated_ids)
    return new


def _generation_config(order: Order) -> openvino_genai.GenerationConfig:
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens = order["max_tokens"]
    # The library wants an end token, even from a model that has none.
    config.set_eos_token_id(min(order["eos"], default=0))
    config.ignore_eos = not order["eos"]
    config.stop_token_ids = set(order["eos"]) or {0}
    config.repetition_penalty = order["repetition_penalty"]
    config.do_sample = order["temperature"] > 0
    if config.do_sample:
        config.temperature = order["temperature"]
        config.top_p = order["top_p"]
        if order["top_k"]:  # the library's default keeps every token
            config.top_k = order["top_k"]
        # The library draws each request's own numbers, but from seed 0 unless told otherwise.
        seed = order["seed"]
        config.rng_seed = secrets.randbits(31) if seed is None else seed
    return config
