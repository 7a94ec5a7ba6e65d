"""How a change to a model is stored: PEFT's ways to train it, and plain LoRA to serve it.

What the engines serve is plain LoRA. rsLoRA, PiSSA and AdaLoRA only train otherwise: what they
learned is a plain LoRA too, and is saved as one, exactly. DoRA is not. Importing this module
imports torch and PEFT.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model
from peft.tuners.adalora import SVDLinear
from safetensors.torch import save_file
from torch import nn

from chatapp.training.config import RunConfig

_INITIAL = "initial"
_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def with_adapter(
    model: nn.Module,
    config: RunConfig,
    targets: Sequence[str] | str,
    steps: int,
    scratch: Path,
    task_type: str | None = None,
    leave_out: str | None = None,
) -> PeftModel:
    """Give a model an adapter; from then on only that learns.

    Args:
        config: whose ``method`` is not ``prefix`` or ``prompt``.
        targets: the names of the layers that it changes.
        steps: that are planned, which AdaLoRA must know.
        scratch: an existing folder, for what PiSSA began with.
        task_type: as PEFT has it, e.g. ``CAUSAL_LM``.
        leave_out: a pattern for names of layers that stay as they are.
    """
    shared: dict[str, Any] = {
        "r": config.rank,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "target_modules": list(targets) if not isinstance(targets, str) else targets,
        "task_type": task_type,
        "exclude_modules": leave_out,
    }
    if config.method == "adalora":
        # As its paper has it (arXiv:2303.10512): begin with half as much again, and be done with
        # choosing well before the end.
        made: LoraConfig = AdaLoraConfig(
            **shared | {"init_r": max(2, config.rank * 3 // 2), "target_r": config.rank},
            total_step=max(3, steps),
            tinit=max(0, steps // 10),
            tfinal=max(1, steps // 3),
            deltaT=max(1, steps // 100),
        )
    else:
        made = LoraConfig(
            **shared,
            use_rslora=config.method == "rslora",
            use_dora=config.method == "dora",
            init_lora_weights="pissa" if config.method == "pissa" else True,
        )
    adapted = get_peft_model(model, made)
    if config.method == "pissa":
        # What is saved at the end is the change since now, as a plain LoRA.
        adapted.peft_config["default"].init_lora_weights = True
        adapted.save_pretrained(str(scratch / _INITIAL))
        adapted.peft_config["default"].init_lora_weights = "pissa"
    return adapted


def save_adapter(model: PeftModel, config: RunConfig, folder: Path, scratch: Path) -> None:
    """Save PEFT's two files, as plain LoRA wherever that is exact.

    Args:
        folder: is made.
        scratch: as it was for ``with_adapter``.
    """
    if config.method == "adalora":
        _save_adalora(model, folder)
        return
    extra: dict[str, Any] = {}
    if config.method == "pissa":
        extra["path_initial_model_for_weight_conversion"] = str(scratch / _INITIAL)
    model.save_pretrained(str(folder), safe_serialization=True, **extra)
    (folder / "README.md").unlink(missing_ok=True)
    if config.method == "pissa":
        shutil.rmtree(scratch / _INITIAL, ignore_errors=True)
    if config.method == "rslora":
        # alpha / sqrt(r) is what it scales by; written as alpha / r, any engine knows it.
        said = json.loads((folder / _CONFIG).read_text("utf-8"))
        said |= {"use_rslora": False, "lora_alpha": said["lora_alpha"] * math.sqrt(said["r"])}
        (folder / _CONFIG).write_text(json.dumps(said, indent=2), "utf-8")


@torch.no_grad()
def _save_adalora(model: PeftModel, folder: Path) -> None:
    """B (E A) with what scales it in B, and rows of zeros up to the largest rank that is left."""
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, SVDLinear)}
    kept: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    for name, layer in layers.items():
        strengths = layer.lora_E["default"].float().cpu()
        used = (strengths[:, 0] != 0).nonzero().flatten()
        scale = layer.scaling["default"] / (float(layer.ranknum["default"]) + 1e-5)
        down = (layer.lora_A["default"].float().cpu() * strengths)[used]
        up = layer.lora_B["default"].float().cpu()[:, used] * scale
        kept[name] = down, up
    rank = max(1, *(len(down) for down, _ in kept.values()))
    tensors: dict[str, torch.Tensor] = {}
    for name, (down, up) in kept.items():
        missing = rank - len(down)
        tensors[f"{name}.lora_A.weight"] = nn.functional.pad(down, (0, 0, 0, missing)).contiguous()
        tensors[f"{name}.lora_B.weight"] = nn.functional.pad(up, (0, missing)).contiguous()
    given = model.peft_config["default"]
    plain = LoraConfig(
        r=rank,
        lora_alpha=rank,
        lora_dropout=given.lora_dropout,
        target_modules=given.target_modules,
        task_type=given.task_type,
        base_model_name_or_path=given.base_model_name_or_path,
        inference_mode=True,
    )
    folder.mkdir(parents=True, exist_ok=True)
    plain.save_pretrained(str(folder))
    save_file(tensors, folder / _WEIGHTS, metadata={"format": "pt"})
