"""Turns a GGUF file into a Hugging Face folder with plain half-precision weights.

``python -m chatapp.engine.models.dense GGUF OUT``.

The transformers engine, fine-tuning and the tests'
reference read that folder. Weights become float16: a 4-bit weight is a float16 scale times a small
whole number plus a float16 minimum, so rounding moves it by at most 2^-11 of its size, hundreds of
times less than its own quantization step.

One tensor at a time is in memory, and torch is never needed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from chatapp.engine.models.conversion import Progress, serve_converter
from chatapp.engine.models.gguf_header import GGUFHeader, TensorInfo, read_header
from chatapp.errors import ModelError

Floats = npt.NDArray[np.float32]

ARCHITECTURES = {
    "llama": "LlamaForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
}
"""Families whose tensors are known here, with the class that runs them."""

_OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_INNER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_ROPE_FACTORS = "rope_freqs.weight"


def convert(source: Path, out: Path, report: Progress) -> None:
    """Write config.json and model.safetensors into ``out``; the tokenizer is not its business.

    Raises:
        ModelError: a family, a tensor or a number that cannot be represented.
    """
    header = read_header(source)
    data = np.memmap(source, dtype=np.uint8, mode="r")
    config = model_config(header, lambda tensor: _floats(header, data, tensor))
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    weights = {hf_name(header, t): t for t in header.tensors if t.name != _ROPE_FACTORS}
    with (out / "model.safetensors").open("wb") as file:
        file.write(_safetensors_header({name: t.shape for name, t in weights.items()}))
        for done, tensor in enumerate(weights.values()):
            report("Unpacking the weights", done / len(weights))
            file.write(_halves(header, tensor, _floats(header, data, tensor)).tobytes())
    report("Weights ready", 1.0)


def hf_name(header: GGUFHeader, tensor: TensorInfo) -> str:
    """The tensor's name in a Hugging Face checkpoint.

    Raises:
        ModelError: no such tensor exists in these families.
    """
    stem, _, suffix = tensor.name.rpartition(".")
    if stem in _OUTER and suffix == "weight":
        return f"{_OUTER[stem]}.weight"
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)", stem)
    biased = header.architecture == "qwen2" and stem.endswith(("attn_q", "attn_k", "attn_v"))
    if match and match[2] in _INNER and (suffix == "weight" or (suffix == "bias" and biased)):
        return f"model.layers.{match[1]}.{_INNER[match[2]]}.{suffix}"
    raise ModelError(
        f"{header.path} holds a tensor {tensor.name}, which a plain {header.architecture} model "
        "does not have. Use the model's safetensors folder instead."
    )


def model_config(header: GGUFHeader, read: Callable[[TensorInfo], Floats]) -> dict[str, object]:
    """The config.json of this model.

    Args:
        read: gives a tensor's values; asked only for the small table of rotary factors.

    Raises:
        ModelError: a family, or a way of stretching the context, that is not known here.
    """
    if header.architecture not in ARCHITECTURES:
        raise ModelError(
            f"{header.path} holds a {header.architecture or 'nameless'} model; GGUF files of "
            f"{', '.join(ARCHITECTURES)} are supported. Use the model's safetensors folder instead."
        )
    tensors = {tensor.name: tensor for tensor in header.tensors}
    heads = header.integer("attention.head_count")
    hidden = header.integer("embedding_length")
    return {
        "architectures": [ARCHITECTURES[header.architecture]],
        "model_type": header.architecture,
        "vocab_size": tensors["token_embd.weight"].shape[0],
        "hidden_size": hidden,
        "intermediate_size": header.integer("feed_forward_length"),
        "num_hidden_layers": header.integer("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": header.integer("attention.head_count_kv", heads),
        "head_dim": header.integer("attention.key_length", hidden // heads),
        "max_position_embeddings": header.integer("context_length"),
        "rms_norm_eps": header.number("attention.layer_norm_rms_epsilon", 1e-6),
        "rope_parameters": _rope(header, tensors.get(_ROPE_FACTORS), read),
        # A file without an output matrix uses the embedding for it.
        "tie_word_embeddings": "output.weight" not in tensors,
        "dtype": "float16",
        **header.token_ids(),
    }


def _rope(
    header: GGUFHeader, factors: TensorInfo | None, read: Callable[[TensorInfo], Floats]
) -> dict[str, object]:
    theta = header.number("rope.freq_base", 10_000.0)
    scaling = header.metadata.get(f"{header.architecture}.rope.scaling.type", "none")
    if scaling != "none":
        raise ModelError(
            f"{header.path} stretches its context by {scaling} scaling, which is not read from "
            "GGUF files. Use the model's safetensors folder instead."
        )
    if factors is None:
        return {"rope_type": "default", "rope_theta": theta}
    return _llama3_rope(header.path, theta, read(factors))


def _llama3_rope(path: Path, theta: float, factors: Floats) -> dict[str, object]:
    """Llama 3.1 and later store a divisor for every rotary frequency. All of them come from one
    number, the largest divisor, and three constants (Meta's ``apply_scaling``)."""
    low, high, original = 1.0, 4.0, 8192
    factor = float(factors.max())
    turns = original / (2 * np.pi * theta ** (np.arange(len(factors)) / len(factors)))
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    if not np.allclose(factors, 1 / ((1 - smooth) / factor + smooth), rtol=1e-3):
        raise ModelError(
            f"{path} scales its positions in a way that is not Llama 3's. Use the model's "
            "safetensors folder instead."
        )
    return {
        "rope_type": "llama3",
        "rope_theta": theta,
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": original,
    }


def _floats(header: GGUFHeader, data: npt.NDArray[np.uint8], tensor: TensorInfo) -> Floats:
    """The tensor's values, [rows, columns], rows in the order of a Hugging Face checkpoint."""
    kind = gguf.GGMLQuantizationType(tensor.kind)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    raw = data[tensor.start : tensor.start + tensor.elements // block * size]
    width = tensor.shape[-1] // block * size
    try:
        values: Floats = gguf.dequantize(raw.reshape(-1, width), kind)
    except NotImplementedError as error:
        raise ModelError(
            f"{header.path} stores {tensor.name} as {kind.name}, which cannot be unpacked. Choose "
            "a Q8_0 or Q4_K_M file."
        ) from error
    values = values.reshape(tensor.shape)
    if header.architecture != "llama":
        return values
    if tensor.name.endswith("attn_q.weight"):
        return _straightened(values, header.integer("attention.head_count"))
    if tensor.name.endswith("attn_k.weight"):
        heads = header.integer("attention.head_count")
        return _straightened(values, header.integer("attention.head_count_kv", heads))
    return values


def _straightened(values: Floats, heads: int) -> Floats:
    """llama.cpp interleaves the two rotary halves of each head (``LlamaModel.permute`` in its
    ``convert_hf_to_gguf.py``); this puts them back one after the other."""
    half = values.shape[0] // heads // 2
    return values.reshape(heads, half, 2, -1).swapaxes(1, 2).reshape(values.shape)


def _halves(header: GGUFHeader, tensor: TensorInfo, values: Floats) -> npt.NDArray[np.float16]:
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    if not np.isfinite(halves).all():
        raise ModelError(
            f"{header.path} holds numbers in {tensor.name} that half precision cannot, or that "
            "are no numbers. Use the model's safetensors folder instead."
        )
    return halves


def _safetensors_header(shapes: dict[str, tuple[int, ...]]) -> bytes:
    """The beginning of a safetensors file of float16 tensors that lie one after the other
    (https://github.com/huggingface/safetensors#format). The library's own writer would need all
    of them in memory."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * int(np.prod(shape))
        entries[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


if __name__ == "__main__":
    sys.exit(serve_converter(convert, sys.argv[1:]))
