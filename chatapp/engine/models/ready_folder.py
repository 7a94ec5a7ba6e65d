"""A local folder whose model is used as it lies there: checked, never changed."""

from __future__ import annotations

import json
from pathlib import Path

from chatapp.engine.models.folder import Facts
from chatapp.errors import ModelError


def folder_facts(path: Path) -> Facts:
    """How the folder's weights are stored, and the context length in tokens.

    Raises:
        ModelError: a file that every model folder has is missing or unreadable.
    """
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        if not (path / file).is_file():
            raise ModelError(
                f"{path} has no {file}, so the model cannot be used. Copy the missing file of the "
                "same model into it."
            )
    config = _read_config(path)
    return {"quantization": _label(config), "context_length": _context_length(path, config)}


def _read_config(path: Path) -> dict[str, object]:
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path / 'config.json'} is not valid JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path / 'config.json'} is not a model's configuration.")
    text = config.get("text_config")  # models that also see keep their language part here
    return {**config, **text} if isinstance(text, dict) else config


def _label(config: dict[str, object]) -> str:
    quantized = config.get("quantization_config")
    if isinstance(quantized, dict):
        return str(quantized.get("quant_method", "quantized"))
    return str(config.get("dtype") or config.get("torch_dtype") or "float32")


def _context_length(path: Path, config: dict[str, object]) -> int:
    for key in ("max_position_embeddings", "n_positions", "seq_length"):
        value = config.get(key)
        if isinstance(value, int):
            return value
    raise ModelError(
        f"{path / 'config.json'} does not state max_position_embeddings, the longest text the "
        "model can read. Add it, or choose another model."
    )
