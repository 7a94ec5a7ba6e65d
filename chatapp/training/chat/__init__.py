"""Learns to answer: a LoRA fine-tune of the chat's own model.

``lessons`` turns examples into tokens, ``methods`` chooses how the change is stored, ``tuning``
learns, ``writing`` asks the model, ``report`` says whether it helped. Nothing here imports torch
before it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.training.chat.presets import presets
from chatapp.training.chat.scoring import score_answers
from chatapp.training_records import ChatReport, Example

if TYPE_CHECKING:
    from chatapp.training.config import RunConfig
    from chatapp.training.run.folder import RunFolder
    from chatapp.training.run.log import RunLog

__all__ = ["evaluate_adapter", "presets", "score_answers", "train"]


def train(
    folder: RunFolder, config: RunConfig, log: RunLog, *, report: bool = True
) -> ChatReport | None:
    """Learn from a run's train part; see ``chat.learning``."""
    from chatapp.training.chat import learning

    return learning.train(folder, config, log, report=report)


def evaluate_adapter(
    base: Path, adapter: Path, examples: Sequence[Example], system_prompt: str = ""
) -> ChatReport:
    """How good an adapter is on other examples; see ``chat.report.evaluate_adapter``."""
    from chatapp.training.chat import report

    return report.evaluate_adapter(base, adapter, examples, system_prompt)
