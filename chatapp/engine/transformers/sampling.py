"""How the transformers engine chooses tokens: every request by its own rules.

The library's continuous batching samples all requests from one random generator, drops the
repetition penalty and has no seeds. Its interface for logits processors, however, shows which
requests are in the batch. The processor here chooses each request's token and leaves the library
nothing to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import ContinuousBatchingManager
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
)
from transformers.generation.continuous_batching.requests import FutureRequestState

from chatapp.records import Sampling

_LIKELIEST = 1_024
"""Nucleus sampling looks at this many tokens first; sorting a whole vocabulary is slow."""


class TokenChooser:
    """Chooses the tokens of one request, whatever else is in the batch."""

    def __init__(self, sampling: Sampling, prompt: Sequence[int]) -> None:
        """``prompt``: its token ids, which the repetition penalty counts as seen."""
        self._sampling = sampling
        self._prompt = prompt
        self._generator: torch.Generator | None = None
        self._seen: torch.Tensor | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> TokenChooser:
        """The library copies a request that it evicts and starts again; its luck stays its own."""
        return self

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """Choose from logits of shape [vocabulary]; the token id as a tensor without dimensions."""
        logits = self._penalized(logits)
        chosen = logits.argmax() if self._sampling.greedy else self._draw(logits)
        if self._seen is not None:
            self._seen[chosen] = True
        return chosen

    def _penalized(self, logits: torch.Tensor) -> torch.Tensor:
        """CTRL's penalty (arXiv:1909.05858), signed as in Hugging Face's implementation."""
        penalty = self._sampling.repetition_penalty
        if penalty == 1:
            return logits
        if self._seen is None:
            self._seen = torch.zeros_like(logits, dtype=torch.bool)
            self._seen[torch.tensor(self._prompt, device=logits.device)] = True
        lowered = torch.where(logits < 0, logits * penalty, logits / penalty)
        return torch.where(self._seen, lowered, logits)

    def _draw(self, logits: torch.Tensor) -> torch.Tensor:
        logits, tokens = self._candidates(logits / self._sampling.temperature)
        if self._generator is None:
            self._generator = torch.Generator(device=logits.device)
            if self._sampling.seed is None:
                self._generator.seed()
            else:
                self._generator.manual_seed(self._sampling.seed)
        # The largest of probability / Exp(1) falls on each token with its probability.
        noise = torch.empty_like(logits).exponential_(generator=self._generator)
        return tokens[(logits.softmax(dim=-1) / noise).argmax()]

    def _candidates(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and ids of the tokens that top-k, then top-p, leave over."""
        size, top_k, top_p = logits.shape[0], self._sampling.top_k, self._sampling.top_p
        if not top_k and top_p == 1:
            return logits, torch.arange(size, device=logits.device)
        likeliest = min(size, top_k or _LIKELIEST)
        best, tokens = logits.topk(likeliest)
        if top_p == 1:
            return best, tokens
        total = best.logsumexp(dim=-1) if top_k else logits.logsumexp(dim=-1)
        before = (best - total).exp().cumsum(dim=-1)
        if not top_k and likeliest < size and before[-1] < top_p:
            best, tokens = logits.sort(descending=True)
            before = (best - total).exp().cumsum(dim=-1)
        # A token stays if those before it do not reach top_p; so the likeliest always stays.
        keep = torch.cat([before.new_zeros(1), before[:-1]]) < top_p
        return best[keep], tokens[keep]


class _ChooserProcessor(ContinuousBatchingLogitsProcessor):  # type: ignore[misc]
    """Leaves each request the one token that its chooser chose."""

    supported_kwargs = {"chooser": TokenChooser}  # noqa: RUF012  (the library's interface)
    ignored_kwargs = ()

    def __init__(self) -> None:
        self._choosers: list[TokenChooser] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(
        self, requests_with_new_token: list[FutureRequestState]
    ) -> torch.Tensor:
        """Called right before the forward pass, in its thread; the rows come in this order."""
        self._choosers = [
            request.state.logit_processor_kwargs["chooser"] for request in requests_with_new_token
        ]
        return torch.zeros(len(self._choosers), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        # There is a row for each request in the batch. Those that write come first; the rest
        # are still reading their prompts, and nobody looks at their rows.
        writing = len(self._choosers)
        only = torch.full_like(scores, -torch.inf)
        only[writing:] = 0
        for index, chooser in enumerate(self._choosers):
            only[index, chooser.choose(scores[index])] = 0
        return only


def install_choosers(manager: ContinuousBatchingManager) -> None:
    """Make every request of ``manager``, which has not started, bring a ``chooser``.

    The manager must decode greedily, without CUDA graphs and without asynchronous batching: the
    processor runs Python for each batch and wants to see the tokens of the one before.
    """
    processors = manager.logit_processor
    processors.logits_processor.append(_ChooserProcessor())
    processors.tensors_required += 1
    processors.supported_keys["chooser"] = TokenChooser
    processors.do_processing = True
