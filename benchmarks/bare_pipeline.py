"""The library alone: OpenVINO GenAI's continuous batching, stepped in a loop, no server around it.

Reads one JSON line for each load from standard input and answers it with one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from typing import Any

import numpy as np
import openvino
import openvino_genai

EXACT = {
    "INFERENCE_PRECISION_HINT": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    "KV_CACHE_PRECISION": "f16",
}
"""The precision at which greedy text agrees with the dense model."""


def build(folder: str, properties: dict[str, str]) -> openvino_genai.ContinuousBatchingPipeline:
    """The pipeline as the library's own examples build it, with its prefix cache."""
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.cache_size = 1  # GiB
    scheduler.enable_prefix_caching = True
    return openvino_genai.ContinuousBatchingPipeline(folder, scheduler, "CPU", properties)


def play(
    pipeline: openvino_genai.ContinuousBatchingPipeline, load: dict[str, Any]
) -> dict[str, Any]:
    """Play one load.

    Args:
        load: ``sessions`` (each a list of prompts as token ids), ``new_tokens``, ``seconds``, and
            ``eos`` (the token ids that end an answer).
    """
    config = openvino_genai.GenerationConfig()
    config.eos_token_id = load["eos"][0]
    config.stop_token_ids = set(load["eos"])
    config.max_new_tokens = load["new_tokens"]
    config.do_sample = False
    waiting = [deque(prompts) for prompts in load["sessions"]]
    running: dict[int, tuple[Any, float, dict[str, Any]]] = {}
    heard: list[dict[str, Any]] = []
    began = time.perf_counter()
    number = 0
    while any(waiting) or running:
        for session, prompts in enumerate(waiting):
            if session not in running and prompts:
                ids = openvino.Tensor(np.array([prompts.popleft()], dtype=np.int64))
                handle = pipeline.add_request(number, ids, config)
                number += 1
                heard.append({"first": None, "counted": 0, "finished": False})
                running[session] = handle, time.perf_counter(), heard[-1]
        pipeline.step()
        now = time.perf_counter()
        for session, (handle, asked, one) in list(running.items()):
            while handle.can_read():
                for output in handle.read().values():
                    one["counted"] += len(output.generated_ids)
                    one["first"] = one["first"] or now - asked
            if handle.get_status() != openvino_genai.GenerationStatus.RUNNING:
                one["finished"] = True
                del running[session]
        if now - began > load["seconds"]:
            break
    seconds = time.perf_counter() - began
    for handle, _, _ in running.values():
        handle.cancel()
    while pipeline.has_non_finished_requests():
        pipeline.step()
    return {"heard": heard, "seconds": seconds, "cut": bool(running)}


def main(folder: str, precision: str) -> None:
    """Serve standard input and output."""
    pipeline = build(folder, EXACT if precision == "exact" else {})
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(play(pipeline, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
