"""The settings of the three presets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chatapp.training.config import Preset

ONCE_MORE = 5_000
"""Rows up to which everything is taught once more to a fresh base, with those set aside."""


class _Effort(NamedTuple):
    """``epochs`` are of a small file; of a larger one fewer are enough, and more only learn it by
    heart: with 2,000 Chinese reviews the third was the best."""

    epochs: int
    fewer: int
    most_steps: int
    rank: int


_EFFORTS: Mapping[Preset, _Effort] = {
    "quick": _Effort(epochs=3, fewer=2, most_steps=120, rank=8),
    "balanced": _Effort(epochs=5, fewer=3, most_steps=600, rank=16),
    "thorough": _Effort(epochs=8, fewer=4, most_steps=2_000, rank=32),
}
_BATCH = 32
_SMALL_FILE = 1_200
"""Rows."""


def presets(preset: Preset, rows: int, gpu: bool) -> Mapping[str, object]:
    """The settings that a preset decides; always the same ones.

    Args:
        rows: how many examples are learned from; of a large file the steps are capped.
        gpu: whether there is one, which does ten times as much in the time.
    """
    effort = _EFFORTS[preset]
    most = effort.most_steps * (10 if gpu else 1)
    epochs = effort.epochs if rows <= _SMALL_FILE else effort.fewer
    planned = epochs * -(-rows // _BATCH)
    return {
        "epochs": float(epochs),
        "max_steps": most if planned > most else None,
        "rank": effort.rank,
        "alpha": 2.0 * effort.rank,
        "dropout": 0.1,
        "learning_rate": 1e-3,
        "warmup": 0.1,
        "weight_decay": 0.01,
        "batch_size": _BATCH,
        "max_length": 128,
        "evaluations": 6,
        "early_stopping": 3,
    }
