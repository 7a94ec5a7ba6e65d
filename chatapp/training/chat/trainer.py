"""TRL's trainer, with less to compute where there is no GPU. Importing this module imports torch.

A vocabulary is wide: of a model of 135 million weights, a fifth of the work is to score all 49,152
tokens at every position. TRL's own kernels score only what is learned, but on a CPU they have to
score everything, the question and the padding too. Here only those positions are scored at which
some row of the batch has an answer. Rows of one length end together, and so do their answers.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch.nn import functional
from trl import SFTTrainer

from chatapp.training.chat.lessons import IGNORED


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
    """Learns the tokens whose label is not ``IGNORED``; the loss is their mean, in nats."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        base = self.model.get_base_model()
        self._narrow = "logits_to_keep" in inspect.signature(type(base).forward).parameters

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The loss of a batch; summed over it and divided by ``num_items_in_batch`` if given."""
        smoothing = self.args.label_smoothing_factor if self.model.training else 0.0
        if return_outputs or not self._narrow or (self.args.device.type != "cpu" and not smoothing):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels = inputs["labels"][:, 1:]
        wanted = labels != IGNORED
        places = wanted.any(dim=0).nonzero().flatten()
        given = {name: value for name, value in inputs.items() if name != "labels"}
        logits = model(**given, use_cache=False, logits_to_keep=places).logits
        learned = wanted[:, places]
        scores, targets = logits[learned].float(), labels[:, places][learned]
        loss = functional.cross_entropy(
            scores, targets, reduction="sum", label_smoothing=smoothing
        ) / torch.as_tensor(num_items_in_batch or len(targets)).clamp(min=1)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # which the gradients are averaged over
        self._note(inputs, scores, targets)
        return loss

    def _note(
        self, inputs: dict[str, Any], scores: torch.Tensor, targets: torch.Tensor
    ) -> None:
        """The figures that the trainer tells with the next loss."""
        found = self._metrics["train" if self.model.training else "eval"]
        right = (scores.argmax(dim=-1) == targets).sum()
        right, count = (
            self.accelerator.gather_for_metrics(one).sum()
            for one in (right, torch.tensor(len(targets), device=right.device))
        )
        found["mean_token_accuracy"].append((right / count.clamp(min=1)).item())
        if self.model.training:
            read = inputs["attention_mask"] if "attention_mask" in inputs else inputs["input_ids"]
            tokens = read.sum() if "attention_mask" in inputs else torch.tensor(read.numel())
            gathered = self.accelerator.gather_for_metrics(tokens.to(self.args.device))
            self._total_train_tokens += int(gathered.sum())
        found["num_tokens"] = [self._total_train_tokens]

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """What is learned gets its card when it is exported."""
