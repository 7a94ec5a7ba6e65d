"""TRL's trainer, with less to compute. Importing this module imports torch and TRL.

TRL scores only what is learned where it has its own kernels, which is on a GPU. On a CPU it scores
every position against the whole vocabulary, the questions and the padding too: a fifth of the work
of a model of 135 million weights. Here a CPU leaves that out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Trainer
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTTrainer

from chatapp.training.chat.batching import TOKENS, scored


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
    """Learns the tokens that have a label.

    Args:
        smoothing: the share of certainty that is spread over all words while it learns (label
            smoothing); nothing is spread while it is measured.
    """

    def __init__(self, *, smoothing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for weight in self.model.parameters():
            if weight.requires_grad:
                # TRL halves those of a 4-bit base; small steps would be rounded away.
                weight.data = weight.data.float()
        self._smoothing = smoothing
        self._measured = torch.zeros(2, dtype=torch.float64)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Cross-entropy in nats, a mean over the learned tokens.

        Args:
            num_items_in_batch: what the sum is divided by, where batches are added up.
        """
        read = inputs.pop(TOKENS, None)
        smoothing = self._smoothing if model.training else 0.0
        has_kernels = self.args.device.type != "cpu"
        if return_outputs or (has_kernels and not smoothing):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        scores, targets = scored(model, inputs)
        loss = functional.cross_entropy(scores, targets, reduction="sum", label_smoothing=smoothing)
        if not model.training:
            self._measured += torch.stack([loss.double(), loss.new_tensor(len(targets)).double()])
        count = len(targets) if num_items_in_batch is None else num_items_in_batch
        loss = loss / torch.as_tensor(count, device=loss.device).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # over which gradients are averaged
        tokens = inputs["input_ids"].numel() if read is None else int(read.sum())
        self._note(tokens, scores.detach(), targets, training=model.training)
        return loss

    def evaluation_loop(
        self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any
    ) -> EvalLoopOutput:
        """The library's, whose loss is a mean over batches; here it is one over tokens, so that it
        does not depend on which rows shared a batch."""
        self._measured.zero_()
        output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **kwargs)
        cost, count = self.accelerator.reduce(self._measured.to(self.args.device)).tolist()
        if count:
            output.metrics[f"{metric_key_prefix}_loss"] = cost / count
        return output

    def _note(self, read: int, scores: Tensor, targets: Tensor, *, training: bool) -> None:
        """What TRL's own loss tells its log."""
        told = self._metrics["train" if training else "eval"]
        if len(targets):
            told["mean_token_accuracy"].append(
                float((scores.argmax(dim=-1) == targets).float().mean())
            )
        if training:
            self._total_train_tokens += read * self.accelerator.num_processes
        told["num_tokens"] = [self._total_train_tokens]

    def _save_checkpoint(self, model: nn.Module, trial: object) -> None:
        """TRL writes a model card into each one; ours describes the adapter, at its export."""
        Trainer._save_checkpoint(self, model, trial)
