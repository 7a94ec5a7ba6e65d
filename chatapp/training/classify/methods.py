"""The ways to store what is learned, as PEFT knows them, and back into plain weights.

Importing this module imports torch and PEFT.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import Tensor

from chatapp.errors import ModelError, TrainingError
from chatapp.training.classify.learners import ALL_LINEAR, Learner
from chatapp.training.config import RunConfig

_INITIAL = "initial"


def check_method(config: RunConfig, kind: str) -> None:
    """
    Raises:
        TrainingError: the method cannot teach this kind of base to sort texts, and why.
    """
    if config.method in ("prefix", "prompt"):
        raise TrainingError(
            f"{config.method.capitalize()} tuning puts words in front of an answer, but a "
            "classifier writes none. Choose lora, or another method for classifiers."
        )
    if config.method == "qlora" and kind == "multilingual":
        raise TrainingError(
            "The multilingual encoder is stored in 8 bits already and is too small to gain from "
            "qlora. Choose lora, or another base."
        )


def wrap(learner: Learner, config: RunConfig, steps: int, scratch: Path) -> PeftModel:
    """Give a base an adapter; from then on only that learns.

    Args:
        steps: that are planned, which AdaLoRA must know.
        scratch: an empty folder, for what PiSSA began with.
    """
    shared: dict[str, Any] = {
        "r": config.rank,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "target_modules": learner.targets,
    }
    if learner.targets == ALL_LINEAR:
        shared["exclude_modules"] = r".*pooler.*"  # nobody asks it
    if config.method == "adalora":
        # As its paper has it: begin with half as much again, and be done well before the end.
        shared["r"] = 8
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
    _check_shapes(learner, config)
    model = get_peft_model(learner.model, made)
    learner.model = model
    if config.method == "pissa":
        # What is saved at the end is the change since now, as a plain LoRA.
        model.peft_config["default"].init_lora_weights = True
        model.save_pretrained(str(scratch / _INITIAL))
        model.peft_config["default"].init_lora_weights = "pissa"
    return model


def save_adapter(model: PeftModel, config: RunConfig, folder: Path, scratch: Path) -> None:
    """PEFT's two files, which plain ``peft`` loads on the base."""
    extra: dict[str, Any] = {}
    if config.method == "pissa":
        extra["path_initial_model_for_weight_conversion"] = str(scratch / _INITIAL)
    model.save_pretrained(str(folder), safe_serialization=True, **extra)
    (folder / "README.md").unlink(missing_ok=True)
    if config.method == "pissa":
        shutil.rmtree(scratch / _INITIAL, ignore_errors=True)


@torch.no_grad()
def merged(model: PeftModel, original: dict[str, Tensor]) -> dict[str, Tensor]:
    """The base's matrices with what was learned added; the model itself stays as it is.

    Args:
        original: the base's own weights in float32, for a base that was read in 4 bits.
    """
    changed: dict[str, Tensor] = {}
    layers = {
        name.removeprefix("base_model.model."): layer
        for name, layer in model.named_modules()
        if isinstance(layer, LoraLayer)
    }
    for name, layer in layers.items():
        key = f"{name}.weight"
        if key in original:
            changed[key] = original[key] + layer.get_delta_weight("default").float().cpu()
        else:
            layer.merge(safe_merge=True)
            changed[key] = layer.get_base_layer().weight.detach().float().cpu().clone()
            layer.unmerge()
    return changed


def _check_shapes(learner: Learner, config: RunConfig) -> None:
    """bitsandbytes packs blocks of 64 inputs and 32 outputs."""
    if config.method != "qlora":
        return
    width = getattr(getattr(learner.model, "config", None), "hidden_size", 0)
    if width % 64:
        raise ModelError(
            f"{learner.base.name} is {width} numbers wide, which 4-bit weights cannot pack: that "
            "takes a multiple of 64. Choose lora instead of qlora."
        )
