"""Which ways to learn suit a classifier, and what was learned as plain weights.

Importing this module imports torch and PEFT.
"""

from __future__ import annotations

from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor

from chatapp.errors import ModelError, TrainingError
from chatapp.training.classify.learners import ALL_LINEAR, Learner
from chatapp.training.config import RunConfig
from chatapp.training.storing import with_adapter


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
    _check_shapes(learner, config)
    # Nobody asks a pooler, where a base has one.
    leave_out = r".*pooler.*" if learner.targets == ALL_LINEAR else None
    model = with_adapter(
        learner.model, config, learner.targets, steps, scratch, leave_out=leave_out
    )
    learner.model = model
    return model


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
