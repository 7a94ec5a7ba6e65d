"""Builds OpenVINO GenAI's continuous-batching pipelines, with or without a LoRA adapter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import openvino_genai

from chatapp.engine.openvino.adapter import CheckedAdapter, Shapes
from chatapp.engine.openvino.protocol import Options, Precision
from chatapp.engine.openvino.reason import reason
from chatapp.errors import ModelError

# A 16-bit KV cache would hold twice as much at the same speed, but makes a greedy answer depend,
# in rare ties, on what else is in the batch.
_EXACT = {
    "INFERENCE_PRECISION_HINT": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    "KV_CACHE_PRECISION": "f32",
}
_KV_BYTES: dict[Precision, float] = {"exact": 4.0, "fast": 1.2}
"""Bytes of one cached value. The library's own choice, u8, adds a scale and a zero point a row."""

_BLOCK = 32
"""Tokens in one KV block on a CPU."""

_BATCHED_TOKENS = 256
"""Most tokens of one step: a long prompt is read in pieces this long, between which the other
answers go on."""


class PipelineFactory:
    """Reads the model's measures once, then builds pipelines."""

    def __init__(self, options: Options) -> None:
        """Read the model.

        Raises:
            ModelError: the folder holds no readable OpenVINO model.
        """
        self._options = options
        self._folder = Path(options["folder"])
        try:
            model = openvino.Core().read_model(self._folder / "openvino_model.xml")
        except RuntimeError as error:
            raise ModelError(
                f"The model in {self._folder} cannot be read: {reason(error)}"
            ) from error
        self.shapes: Shapes = _projection_shapes(model)
        values = sum(
            node.get_output_partial_shape(0)[1].get_length()
            * node.get_output_partial_shape(0)[3].get_length()
            for node in model.get_ops()
            if node.get_type_name() == "ReadValue"
        )
        self._token_bytes = values * _KV_BYTES[options["precision"]]

    def build(
        self, adapter: CheckedAdapter | None, *, shared: bool
    ) -> openvino_genai.ContinuousBatchingPipeline:
        """A pipeline of its own; takes seconds, during which other threads run.

        Args:
            adapter: is part of the pipeline for good: the library's prefix cache knows nothing
                of adapters and would mix their states.
            shared: many answers at once with a prefix cache; else one answer at a time, each
                computed from scratch, so that it always comes out the same.
        """
        options = self._options
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.max_num_batched_tokens = _BATCHED_TOKENS
        scheduler.enable_prefix_caching = shared
        scheduler.num_kv_blocks = self._blocks(shared)
        properties: dict[str, object] = dict(_EXACT if options["precision"] == "exact" else {})
        if options["threads"] is not None:
            properties["INFERENCE_NUM_THREADS"] = options["threads"]
        if adapter is not None:
            properties["adapters"] = openvino_genai.AdapterConfig(
                openvino_genai.Adapter(adapter.file),
                adapter.scale,
                openvino_genai.AdapterConfig.Mode.MODE_STATIC,
            )
        pipeline = openvino_genai.ContinuousBatchingPipeline(
            self._folder, scheduler, "CPU", properties
        )
        self._warm_up(pipeline)
        return pipeline

    def _warm_up(self, pipeline: openvino_genai.ContinuousBatchingPipeline) -> None:
        """Have the kernels compiled now: the first long prompt would wait half a second for them.

        ``generate`` lets other threads run, which ``step`` does not.
        """
        config = openvino_genai.GenerationConfig()
        config.set_eos_token_id(0)
        config.stop_token_ids = {0}
        config.ignore_eos = True
        config.max_new_tokens = 2
        longest = min(_BATCHED_TOKENS, self._options["context_length"] - 2)
        prompt = openvino.Tensor(np.zeros((1, longest), dtype=np.int64))
        pipeline.generate([prompt], [config])

    def _blocks(self, shared: bool) -> int:
        one_conversation = -(-self._options["context_length"] // _BLOCK) + 1
        affordable = int(self._options["kv_cache_gb"] * 2**30 / (self._token_bytes * _BLOCK))
        return max(2, affordable if shared else min(affordable, one_conversation))


def _projection_shapes(model: openvino.Model) -> Shapes:
    """Outputs and inputs of every named projection."""
    shapes: Shapes = {}
    for node in model.get_ops():
        name = node.get_friendly_name()
        if node.get_type_name() == "MatMul" and name.startswith("model.layers."):
            rows, columns = node.input_value(1).get_partial_shape()
            shapes[name] = (rows.get_length(), columns.get_length())
    return shapes
