"""Asks a model that learns, many questions at once. Importing this module imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, PreTrainedModel

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.chat.lessons import IGNORED, Lesson

_AT_ONCE = 16
_TOKENS_AT_ONCE = 4096

Told = Callable[[int, int], object]
"""Hears how many of how many are done."""


def nothing(_done: int, _total: int) -> None:
    """For whoever need not hear."""


@torch.inference_mode()
def answers(
    model: PreTrainedModel,
    tokenizer: ChatTokenizer,
    prompts: Sequence[Sequence[int]],
    most: int,
    told: Told = nothing,
) -> list[str]:
    """The likeliest answer to each prompt, at most ``most`` tokens long (greedy decoding)."""
    was_training = model.training
    model.eval()
    ends = sorted(tokenizer.eos_ids)
    written: list[str] = [""] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda at: len(prompts[at]))
    plan = GenerationConfig(
        max_new_tokens=most,
        do_sample=False,
        eos_token_id=ends or None,
        pad_token_id=ends[0] if ends else 0,
        use_cache=True,
    )
    for start in range(0, len(order), _AT_ONCE):
        chosen = order[start : start + _AT_ONCE]
        rows = [torch.tensor(list(prompts[at])) for at in chosen]
        ids, mask = (
            pad_sequence(part, batch_first=True, padding_side="left").to(model.device)
            for part in (rows, [torch.ones_like(row) for row in rows])
        )
        whole = model.generate(input_ids=ids, attention_mask=mask, generation_config=plan)
        for at, row in zip(chosen, whole[:, ids.shape[1] :].tolist(), strict=True):
            end = next((place for place, one in enumerate(row) if one in tokenizer.eos_ids), None)
            written[at] = tokenizer.decode(row[:end]).strip()
        told(min(start + _AT_ONCE, len(order)), len(order))
    model.train(was_training)
    return written


@torch.inference_mode()
def losses(model: PreTrainedModel, lessons: Sequence[Lesson]) -> list[tuple[float, int]]:
    """What each lesson costs the model: negative log-likelihood in nats, summed over the tokens
    that are learned, and how many those are."""
    was_training = model.training
    model.eval()
    found: list[tuple[float, int]] = [(0.0, 0)] * len(lessons)
    order = sorted(range(len(lessons)), key=lambda at: len(lessons[at]["input_ids"]))
    for chosen in _batches(order, lessons):
        ids, labels, mask = _padded([lessons[at] for at in chosen], model.device)
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
        costs = functional.cross_entropy(
            logits.transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none"
        ).sum(dim=1)
        counts = (labels[:, 1:] != IGNORED).sum(dim=1)
        for at, cost, count in zip(chosen, costs.tolist(), counts.tolist(), strict=True):
            found[at] = cost, count
    model.train(was_training)
    return found


def _batches(order: Sequence[int], lessons: Sequence[Lesson]) -> list[list[int]]:
    """A batch's logits are as wide as the vocabulary: few long rows at once."""
    batches: list[list[int]] = []
    for at in order:
        length = len(lessons[at]["input_ids"])
        if batches and (len(batches[-1]) + 1) * length <= _TOKENS_AT_ONCE:
            batches[-1].append(at)
        else:
            batches.append([at])
    return batches


def _padded(
    lessons: Sequence[Lesson], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = [torch.tensor(one["input_ids"]) for one in lessons]
    labels = [torch.tensor(one["labels"]) for one in lessons]
    return (
        pad_sequence(rows, batch_first=True).to(device),
        pad_sequence(labels, batch_first=True, padding_value=IGNORED).to(device),
        pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device),
    )
