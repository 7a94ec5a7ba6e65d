"""Puts rows into one batch. Importing this module imports torch.

Most conversations of a file begin with the same words: the system prompt, and what the chat
template puts around it. Side by side in a padded batch, each row has them computed anew. Behind
one another in a single row, with a mask that lets each see the shared beginning and itself, they
are computed once, and nothing is padding; what is learned is the same.

    padded    [S S S a a a _]        shared    [S S S a a a b b b b]
              [S S S b b b b]
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.rnn import pad_sequence

from chatapp.training.chat.lessons import IGNORED, Lesson

TOKENS = "tokens"
"""In a batch: how many tokens its rows have, padding not counted. No model takes it."""

_WEIGHTS = 6
"""A layer multiplies each token with about 12 d² weights, and each pair of tokens with 2 d; so a
row of n tokens costs in proportion to n (6 d + n)."""


class Batches:
    """Makes a batch in the cheaper of both ways.

    Args:
        width: d, the model's hidden size.
        may_share: whether the beginning may be shared; attention kernels of a GPU take no mask.
    """

    def __init__(self, width: int, *, may_share: bool) -> None:
        self._width = width
        self._may_share = may_share

    def __call__(self, rows: Sequence[Lesson]) -> dict[str, Tensor]:
        """The batch, with ``TOKENS`` among its entries."""
        shared = _shared_beginning(rows)
        batch = shared_batch(rows, shared) if self._shares(rows, shared) else padded_batch(rows)
        return {**batch, TOKENS: torch.tensor([sum(len(row["input_ids"]) for row in rows)])}

    def pads(self, rows: Sequence[Lesson]) -> bool:
        """Whether a batch of these would be padded, so that it should be of rows alike in length;
        without padding any rows go together, which is better for what is learned."""
        return not self._shares(rows, _shared_beginning(rows))

    def _shares(self, rows: Sequence[Lesson], shared: int) -> bool:
        lengths = [len(row["input_ids"]) for row in rows]
        whole = shared + sum(length - shared for length in lengths)
        cheaper = self._cost(whole) < len(rows) * self._cost(max(lengths))
        return self._may_share and len(rows) > 1 and cheaper

    def _cost(self, length: int) -> int:
        return length * (_WEIGHTS * self._width + length)


def padded_batch(rows: Sequence[Lesson]) -> dict[str, Tensor]:
    """Padded on the left, so that the answers, which come last, lie above one another."""

    def padded(parts: list[Tensor], value: int) -> Tensor:
        return pad_sequence(parts, batch_first=True, padding_value=value, padding_side="left")

    ids = [torch.tensor(row["input_ids"]) for row in rows]
    return {
        "input_ids": padded(ids, 0),
        "labels": padded([torch.tensor(row["labels"]) for row in rows], IGNORED),
        "attention_mask": padded([torch.ones_like(one) for one in ids], 0),
        "position_ids": padded([torch.arange(len(one)) for one in ids], 0),
    }


def shared_batch(rows: Sequence[Lesson], shared: int) -> dict[str, Tensor]:
    """One row: the first ``shared`` tokens once, and then the rest of each row."""
    ids = [torch.tensor(row["input_ids"]) for row in rows]
    sizes = [shared, *(len(one) - shared for one in ids)]
    owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    seen = (owner == 0) | (owner[:, None] == owner)
    order = torch.arange(len(owner))
    return {
        "input_ids": torch.cat([ids[0][:shared], *(one[shared:] for one in ids)])[None],
        "labels": torch.cat(
            [
                torch.full((shared,), IGNORED),
                *(torch.tensor(row["labels"][shared:]) for row in rows),
            ]
        )[None],
        "position_ids": torch.cat(
            [torch.arange(shared), *(torch.arange(shared, len(one)) for one in ids)]
        )[None],
        "attention_mask": (seen & (order <= order[:, None]))[None, None],
    }


def scored(model: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """What a model makes of a batch, row after row.

    The widest matrix of a small model turns hidden states into words; it is multiplied only where
    some row has something to learn.

    Args:
        model: bare, or with an adapter.
        batch: without ``TOKENS``.

    Returns:
        The scores of all words before each learned token, [tokens, vocabulary] in float32, and
        these tokens.
    """
    targets = batch["labels"][:, 1:]
    learned = targets != IGNORED
    places = learned.any(dim=0).nonzero().flatten()
    read = {name: one for name, one in batch.items() if name != "labels"}
    if _can_narrow(model):
        logits = model(**read, use_cache=False, logits_to_keep=places).logits
    else:
        logits = model(**read, use_cache=False).logits[:, places]
    chosen = learned[:, places]
    return logits[chosen].float(), targets[:, places][chosen]


def _can_narrow(model: nn.Module) -> bool:
    bare = model.module if isinstance(model, DistributedDataParallel) else model
    bare = bare.get_base_model() if isinstance(bare, PeftModel) else bare
    return "logits_to_keep" in inspect.signature(type(bare).forward).parameters


def _shared_beginning(rows: Sequence[Lesson]) -> int:
    """How many first tokens all rows have in common and none of them learns.

    The token before the first learned one does not count: each row needs its own, since that one
    writes the answer's first token.
    """
    if len(rows) < 2:
        return 0
    columns = zip(*(row["input_ids"] for row in rows), strict=False)
    common = next(
        (at for at, column in enumerate(columns) if len(set(column)) > 1),
        min(len(row["input_ids"]) for row in rows),
    )
    first_learned = min(
        next((at for at, label in enumerate(row["labels"]) if label != IGNORED), common)
        for row in rows
    )
    return max(0, min(common, first_learned - 1))
