"""The fine-tune itself: an adapter on the base, taught to bring texts of one label together.

Each label has a prototype among the vectors, which begins at the mean of its texts and learns too;
a text is to be nearer to its own than to any other (cross-entropy over cosines, as in Wang et al.
2018, arXiv:1801.05599, without the margin). Importing this module imports torch and transformers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from chatapp.training.arguments import trainer_arguments
from chatapp.training.classify.learners import Learner, pad
from chatapp.training.classify.likeness import Floats
from chatapp.training.classify.solving import Numbers
from chatapp.training.config import RunConfig

_SCALE = 10.0
"""Of the cosines, before they become probabilities; found beside the learning rate."""

_TRAINED = "trained.safetensors"

Parts = tuple[Sequence[str], Numbers]
"""Texts, and the number of each one's label."""


class Sorter(nn.Module):
    """A base with its adapter, and the prototypes."""

    def __init__(self, learner: Learner, prototypes: Floats, smoothing: float) -> None:
        super().__init__()
        self.body = learner.model
        self.prototypes = nn.Parameter(torch.from_numpy(prototypes.copy()))
        self._learner = learner
        self._smoothing = smoothing

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """What a ``Trainer`` expects: ``logits`` of shape (texts, labels) and, with labels, a
        ``loss``."""
        vectors = self._learner.read(self.body, input_ids, attention_mask)
        logits = _SCALE * vectors @ functional.normalize(self.prototypes, dim=-1).T
        if labels is None:
            return {"logits": logits}
        loss = functional.cross_entropy(
            logits, labels, label_smoothing=self._smoothing if self.training else 0.0
        )
        return {"loss": loss, "logits": logits}

    def activation_checkpointing_enable(self, **kwargs: object) -> None:
        """Where the base can; the multilingual one is too shallow to gain from it."""
        body: Any = self.body
        base = body.get_base_model()
        if hasattr(base, "activation_checkpointing_enable"):
            base.activation_checkpointing_enable(**kwargs)
            base.enable_input_require_grads()


@dataclass(frozen=True, slots=True)
class Tuning:
    """What one fine-tune is told beside the run's settings.

    Attributes:
        folder: for checkpoints.
        steps: optimizer steps that are planned.
        resume: the checkpoint to go on from.
        listeners: hear how far it is.
        kept: whether checkpoints are written.
    """

    folder: Path
    steps: int
    resume: Path | None
    listeners: Sequence[TrainerCallback]
    kept: bool = True


def tune(
    sorter: Sorter,
    learner: Learner,
    config: RunConfig,
    train: Parts,
    validation: Parts | None,
    tuning: Tuning,
) -> int:
    """Teach it; the best state on the validation part stays.

    Returns:
        The step it stems from.

    Raises:
        RunDiscarded, TrainingError: by the listeners.
    """
    measured = validation is not None and len(validation[0]) > 0
    trainer = _Trainer(
        model=sorter,
        args=_arguments(config, tuning, measured=measured),
        train_dataset=_rows(learner, train),  # type: ignore[arg-type, unused-ignore]
        eval_dataset=_rows(learner, validation) if validation and measured else None,
        data_collator=lambda rows: _batch(rows, learner.padding),
        compute_metrics=_accuracy,
        callbacks=[
            *tuning.listeners,
            *([_Allocation()] if config.method == "adalora" else []),
            *(
                [EarlyStoppingCallback(config.early_stopping)]
                if measured and tuning.kept and config.early_stopping
                else []
            ),
        ],
    )
    trainer.train(resume_from_checkpoint=str(tuning.resume) if tuning.resume else None)
    state = trainer.state
    return int(state.best_global_step or state.global_step)


def first_prototypes(vectors: Floats, owners: Numbers, labels: int) -> Floats:
    """The mean of each label's vectors, of length 1; shape (labels, dimension)."""
    sums = np.zeros((labels, vectors.shape[1]), np.float64)
    np.add.at(sums, owners, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means: Floats = (sums / np.maximum(lengths, 1e-12)).astype(np.float32)
    return means


class _Trainer(Trainer):  # type: ignore[misc]
    """Checkpoints hold what learns, a few megabytes, and not the base."""

    def _save(self, output_dir: str | None = None, state_dict: object = None) -> None:  # noqa: ARG002
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        trained = {
            name: weight.detach().cpu().contiguous()
            for name, weight in self.accelerator.unwrap_model(self.model).named_parameters()
            if weight.requires_grad
        }
        save_file(trained, folder / _TRAINED)

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        target = self.accelerator.unwrap_model(model or self.model)
        target.load_state_dict(load_file(Path(resume_from_checkpoint) / _TRAINED), strict=False)

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(self.state.best_model_checkpoint)


class _Allocation(TrainerCallback):  # type: ignore[misc]
    """AdaLoRA hands its ranks out anew after each step, while the gradients are still there."""

    def on_optimizer_step(
        self, _args: object, state: Any, _control: object, model: Any = None, **_: object
    ) -> None:
        model.body.base_model.update_and_allocate(state.global_step + 1)


def _arguments(config: RunConfig, tuning: Tuning, *, measured: bool) -> TrainingArguments:
    return TrainingArguments(
        **trainer_arguments(config, tuning.folder, tuning.steps, looks=measured, kept=tuning.kept),
        per_device_eval_batch_size=max(32, config.batch_size),
        activation_checkpointing=config.gradient_checkpointing,
        train_sampling_strategy="group_by_length",
        include_num_input_tokens_seen="non_padding",
        remove_unused_columns=False,
        label_names=["labels"],
    )


def _rows(learner: Learner, part: Parts) -> list[dict[str, Any]]:
    texts, owners = part
    return [
        {"input_ids": ids, "labels": int(owner)}
        for ids, owner in zip(learner.tokens(texts), owners, strict=True)
    ]


def _batch(rows: Sequence[Mapping[str, Any]], padding: int) -> dict[str, Tensor]:
    batch = pad([row["input_ids"] for row in rows], padding)
    batch["labels"] = torch.tensor([row["labels"] for row in rows])
    return batch


def _accuracy(prediction: EvalPrediction) -> dict[str, float]:
    said = np.asarray(prediction.predictions).argmax(axis=-1)
    return {"accuracy": float((said == prediction.label_ids).mean())}
