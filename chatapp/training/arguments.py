"""A run's settings in the words of a transformers ``Trainer``, whichever task it learns.

Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from chatapp.training.config import RunConfig

_SCHEDULES: Final[Mapping[str, str]] = {
    "linear": "linear",
    "cosine": "cosine",
    "constant": "constant_with_warmup",
}
_SMALL_RUN = 20
"""Steps; such a run is a trial, which looks at each."""


def precision_of(config: RunConfig) -> str:
    """``auto`` decided: a GPU that has bfloat16 is quickest with it; a CPU is exact."""
    if config.precision != "auto":
        return config.precision
    gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return "bfloat16" if gpu else "float32"


def trainer_arguments(
    config: RunConfig, folder: Path, steps: int, *, looks: bool, kept: bool
) -> dict[str, Any]:
    """What every task gives to its trainer.

    Args:
        folder: for checkpoints.
        looks: whether there is a validation part to measure on.
        kept: whether checkpoints are written, and the best is looked for; not in a trial.
    """
    every = max(1, steps // config.evaluations)
    gpu = torch.cuda.is_available()
    precision = precision_of(config)
    tracked = [] if config.tracking == "none" else [config.tracking]
    return {
        "output_dir": str(folder),
        "max_steps": steps,
        "per_device_train_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.gradient_accumulation,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": _SCHEDULES[config.schedule],
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "bf16": precision == "bfloat16",
        "fp16": precision == "float16",
        "use_cpu": not gpu,
        "eval_strategy": "steps" if looks else "no",
        "eval_steps": every,
        "save_strategy": "steps" if kept else "no",
        "save_steps": every,
        "save_total_limit": 2,
        "load_best_model_at_end": looks and kept,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "restore_callback_states_from_checkpoint": True,
        "logging_steps": 1 if steps <= _SMALL_RUN else max(1, min(10, steps // 40)),
        "report_to": ["tensorboard", *tracked] if kept else [],
        "run_name": config.name,
        "seed": config.seed,
        "dataloader_pin_memory": gpu,
        "disable_tqdm": True,
    }
