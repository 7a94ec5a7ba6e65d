"""One fine-tune, from a base to something that reads texts and can be saved.

Importing this module imports torch.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.numpy import save_file
from torch import Tensor
from transformers import TrainerCallback, set_seed

from chatapp.engine.models.weights import weights_hash
from chatapp.training.classify.artefact import BASE_FILE
from chatapp.training.classify.bases import Base
from chatapp.training.classify.learners import Learner, load_learner, served_weights
from chatapp.training.classify.lessons import Rows
from chatapp.training.classify.likeness import Floats
from chatapp.training.classify.methods import merged, wrap
from chatapp.training.classify.readers import ENCODER_FILE, TUNED, Encoders, Reader
from chatapp.training.classify.solving import Numbers, representatives
from chatapp.training.classify.tuning import (
    Sorter,
    Tuning,
    first_prototypes,
    tune,
)
from chatapp.training.config import RunConfig
from chatapp.training.run.callback import callback
from chatapp.training.run.log import RunLog
from chatapp.training.storing import save_adapter

_BASE_DROPOUT = 0.1
_LEAST_SHARE = 0.5
_PROTOTYPES_FROM = 2_000


@dataclass
class Taught:
    """A base that has learned.

    Attributes:
        share: of the planned steps, after which it was at its best.
        changed: the base's matrices with what was learned added, as numpy serves them; empty for
            a base that torch serves.
    """

    learner: Learner
    config: RunConfig
    share: float
    changed: Mapping[str, Floats]
    scratch: Path

    @property
    def view(self) -> str:
        """Names what it reads, apart from what others read."""
        return f"{TUNED}-{id(self)}"

    def reader(self, encoders: Encoders) -> Reader:
        """Reads texts exactly as the classifier will."""
        if self.changed:
            return encoders.changed(self.learner.base.kind, self.changed)
        return self.learner.embed

    def save(self, folder: Path) -> None:
        """PEFT's two files, the merged encoder and what it was built on."""
        model = self.learner.model
        assert isinstance(model, PeftModel)
        save_adapter(model, self.config, folder, self.scratch)
        if self.changed:
            save_file(dict(self.changed), folder / ENCODER_FILE)
        base = self.learner.base
        digest = "" if base.folder is None else weights_hash(base.folder)
        said = {"model": base.name, "hash": digest}
        (folder / BASE_FILE).write_text(json.dumps(said, indent=2), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be learned.

    Attributes:
        owners: the number of each text's label.
        validation: decides which state is best; None for a second time, which has no part to
            spare and stops where the first was at its best.
        share: of the planned steps that are done.
    """

    texts: list[str]
    owners: Numbers
    labels: int
    validation: Rows | None
    share: float = 1.0


def teach(
    base: Base, config: RunConfig, log: RunLog, task: Task, checkpoints: Path, scratch: Path
) -> Taught:
    """Fine-tune a base.

    Raises:
        ModelError: the base cannot be loaded.
        RunDiscarded, TrainingError: as the listeners of the run have it.
    """
    log.phase("Loading the base")
    learner = load_learner(
        base, config.max_length, dropout=_BASE_DROPOUT, quantized=config.method == "qlora"
    )
    if torch.cuda.is_available() and config.method != "qlora":
        learner.model.to(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
    steps = math.ceil(config.steps_for(len(task.texts)) * task.share)
    set_seed(config.seed)
    few = representatives(task.owners, max(_PROTOTYPES_FROM, task.labels), config.seed)
    vectors = learner.embed([task.texts[row] for row in few])
    model = wrap(learner, config, steps, scratch)
    sorter = Sorter(
        learner, first_prototypes(vectors, task.owners[few], task.labels), config.label_smoothing
    )
    first = task.validation is not None
    tuning = Tuning(
        folder=checkpoints,
        steps=steps,
        resume=log.checkpoint if first else None,
        listeners=[callback(log) if first else _SecondTime(log)],
        kept=first,
    )
    part = task.validation
    measured = (part.texts, part.owners) if part is not None else None
    best = tune(sorter, learner, config, (task.texts, task.owners), measured, tuning)
    model.eval()
    changed = {}
    if base.kind in ("minilm", "multilingual"):
        changed = served_weights(learner, merged(model, _originals(base, config)))
    share = max(_LEAST_SHARE, min(1.0, best / steps))
    return Taught(learner, config, share, changed, scratch)


def _originals(base: Base, config: RunConfig) -> dict[str, Tensor]:
    """What was learned on 4-bit weights is served on the whole ones."""
    if config.method != "qlora":
        return {}
    whole = load_learner(base, config.max_length, dropout=0.0, quantized=False)
    return dict(whole.model.state_dict())


class _SecondTime(TrainerCallback):  # type: ignore[misc]
    """Says how far it is, and hears the wish to stop; the figures were told the first time."""

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def on_step_end(
        self,
        _args: object,
        state: Any,
        control: Any,
        **_: object,
    ) -> None:
        self._log.phase("Learning from all rows")
        self._log.progress(state.global_step, state.max_steps, state.epoch or 0.0)
        if self._log.wanted_stop:
            control.should_training_stop = True
