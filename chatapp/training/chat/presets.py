"""The settings of the three presets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chatapp.training.config import Preset


class _Effort(NamedTuple):
    epochs: int
    most_steps: int
    rank: int


_EFFORTS: Mapping[Preset, _Effort] = {
    "quick": _Effort(epochs=4, most_steps=150, rank=16),
    "balanced": _Effort(epochs=8, most_steps=600, rank=32),
    "thorough": _Effort(epochs=16, most_steps=2_000, rank=64),
}
_BATCH = 8
_GPU_BATCH = 16


def presets(preset: Preset, rows: int, gpu: bool) -> Mapping[str, object]:
    """The settings that a preset decides; always the same ones.

    A small model learns a fact only after it has read it several times, so small files are read
    often; of a large file the steps are capped.

    Args:
        rows: how many examples are learned from.
        gpu: whether there is one, which does ten times as much in the time.
    """
    effort = _EFFORTS[preset]
    batch = _GPU_BATCH if gpu else _BATCH
    most = effort.most_steps * (10 if gpu else 1)
    planned = effort.epochs * -(-rows // batch)
    return {
        "epochs": float(effort.epochs),
        "max_steps": most if planned > most else None,
        "rank": effort.rank,
        "alpha": 2.0 * effort.rank,
        "dropout": 0.05,
        "learning_rate": 1e-3 if not gpu else 2e-4,
        "warmup": 0.1,
        "weight_decay": 0.0,
        "batch_size": batch,
        "max_length": 1024,
        "evaluations": 8,
        "early_stopping": 3,
    }
