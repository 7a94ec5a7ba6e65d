"""Asks a model that learns, many questions at once. Importing this module imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, PreTrainedModel

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.chat.batching import TOKENS, Batches, scored
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
    batches = Batches(
        model.config.get_text_config().hidden_size, may_share=model.device.type == "cpu"
    )
    found: list[tuple[float, int]] = [(0.0, 0)] * len(lessons)
    for chosen in _together(lessons):
        rows = [lessons[at] for at in chosen]
        batch = {name: one.to(model.device) for name, one in batches(rows).items()}
        del batch[TOKENS]
        scores, targets = scored(model, batch)
        costs = functional.cross_entropy(scores, targets, reduction="none")
        counts = [sum(label != IGNORED for label in row["labels"]) for row in rows]
        for at, one, count in zip(chosen, torch.split(costs, counts), counts, strict=True):
            found[at] = float(one.sum()), count
    model.train(was_training)
    return found


def _together(lessons: Sequence[Lesson]) -> list[list[int]]:
    """Which share a batch: those that begin alike, a few long ones or several short ones."""
    groups: list[list[int]] = []
    for at in sorted(range(len(lessons)), key=lambda at: lessons[at]["input_ids"]):
        length = len(lessons[at]["input_ids"])
        if (
            groups
            and len(groups[-1]) < _AT_ONCE
            and (len(groups[-1]) + 1) * length <= _TOKENS_AT_ONCE
        ):
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups
