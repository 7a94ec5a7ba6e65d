"""Checks a PEFT LoRA folder before OpenVINO GenAI sees it.

The library scales by one number, knows plain LoRA only, and merely logs what it could not match:
an adapter that it would serve wrong, or in part, is refused here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from chatapp.errors import ModelError

Shapes = dict[str, tuple[int, int]]
"""Outputs and inputs of each projection, by its PEFT name (``model.layers.0.mlp.up_proj``)."""

_PREFIX = "base_model.model."
_UNSUPPORTED = {
    "use_rslora": "rank-stabilised LoRA (use_rslora)",
    "use_dora": "DoRA (use_dora)",
    "fan_in_fan_out": "transposed weights (fan_in_fan_out)",
    "modules_to_save": "fully trained modules (modules_to_save)",
    "rank_pattern": "ranks that differ between modules (rank_pattern)",
    "alpha_pattern": "scales that differ between modules (alpha_pattern)",
    "layer_replication": "replicated layers (layer_replication)",
    "lora_bias": "trained biases (lora_bias)",
}


@dataclass(frozen=True, slots=True)
class CheckedAdapter:
    """An adapter that fits the model: its safetensors file, and lora_alpha / r."""

    file: Path
    scale: float


def check_adapter(folder: Path, shapes: Shapes) -> CheckedAdapter:
    """Read ``folder``'s configuration and tensor names and shapes.

    Raises:
        ModelError: it is not a plain LoRA adapter for this model, with the reason.
    """
    config = _config(folder)
    if config.get("peft_type") != "LORA":
        raise ModelError(f"The adapter in {folder} is {config.get('peft_type')}, not LORA.")
    for key, feature in _UNSUPPORTED.items():
        if config.get(key):
            raise ModelError(
                f"The adapter in {folder} uses {feature}, which the OpenVINO engine cannot "
                "serve. Train it without, or use the transformers engine."
            )
    if config.get("bias", "none") != "none":
        raise ModelError(
            f"The adapter in {folder} trains biases (bias is {config['bias']}), which the OpenVINO "
            'engine cannot serve. Train it with bias="none".'
        )
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not isinstance(rank, int) or rank < 1 or not isinstance(alpha, int | float):
        raise ModelError(f"adapter_config.json in {folder} does not state r and lora_alpha.")
    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        raise ModelError(
            f"{folder} has no adapter_model.safetensors. Other formats are not read, because a "
            "pickle file could run any code; save the adapter with safe_serialization=True."
        )
    _check_tensors(file, _tensor_shapes(file), rank, shapes)
    return CheckedAdapter(file, alpha / rank)


def _config(folder: Path) -> dict[str, object]:
    path = folder / "adapter_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} is not an adapter's configuration.")
    return config


def _tensor_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    try:
        with safe_open(file, framework="numpy") as tensors:
            return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file} is not a readable safetensors file: {error}.") from error


def _check_tensors(
    file: Path, tensors: dict[str, tuple[int, ...]], rank: int, shapes: Shapes
) -> None:
    if not tensors:
        raise ModelError(f"{file} is empty.")
    for name, shape in tensors.items():
        module, _, part = name.removeprefix(_PREFIX).rpartition(".lora_")
        if module not in shapes or part not in ("A.weight", "B.weight"):
            raise ModelError(
                f"{file} holds {name}, which does not belong to this model. The OpenVINO engine "
                "serves q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj."
            )
        outputs, inputs = shapes[module]
        expected = (rank, inputs) if part == "A.weight" else (outputs, rank)
        if shape != expected:
            raise ModelError(
                f"{name} in {file} is {shape}, but {expected} fits this model. The adapter "
                "was trained on another model."
            )
        other = (
            name.replace("lora_A", "lora_B")
            if "lora_A" in name
            else name.replace("lora_B", "lora_A")
        )
        if other not in tensors:
            raise ModelError(f"{file} holds {name}, but not {other}. The file is incomplete.")
