"""What the app and the worker process say to each other, in lines of JSON.

To the worker, ``{"do": …}``:
    open    lane, adapter (folder or null): build a pipeline          → opened | refused
    close   lane: let its answers finish, then free it                → closed
    start   id, lane, order                                           → tokens…, over
    cancel  id                                                        → nothing

From the worker, one object a line:
    {"opened": lane} | {"refused": lane, "reason": sentence} | {"closed": lane}
    {"tokens": {id: [token, …]}, "over": {id: Ending}}   one line a step, for all requests together

Loads no library: the app's own process imports it.
"""

from __future__ import annotations

from typing import Literal, TypedDict

BASE = "base"
"""The lane without an adapter."""

Precision = Literal["fast", "exact"]
"""``exact`` computes in float32; ``fast`` leaves it to the library: bfloat16 where the CPU has it,
and an 8-bit KV cache."""

Ending = Literal["finished", "memory", "rejected"]
"""The model or the limit ended it; the KV cache had no room for it; the library refused it."""


class Options(TypedDict):
    """What a worker is started with.

    ``kv_cache_gb``: most memory of one lane's KV cache, in GiB; it grows as it is used.
    ``context_length``: most tokens of one conversation. ``threads`` None: the library's choice.
    """

    folder: str
    threads: int | None
    precision: Precision
    kv_cache_gb: float
    context_length: int


class Order(TypedDict):
    """A request: the fields of ``Sampling`` that the worker needs, the prompt, and the tokens that
    end an answer."""

    prompt: list[int]
    eos: list[int]
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    repetition_penalty: float
    seed: int | None
