"""Each request's own way to choose tokens, against Hugging Face's logits processors."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from chatapp.engine.transformers.sampling import TokenChooser
from chatapp.records import Sampling

DRAWS = 6_000


def logits(size: int, seed: int = 0, scale: float = 2.0) -> torch.Tensor:
    return scale * torch.randn(size, generator=torch.Generator().manual_seed(seed))


def library(sampling: Sampling, scores: torch.Tensor, prompt: list[int]) -> torch.Tensor:
    """Probabilities as ``generate`` computes them."""
    ids, scores = torch.tensor([prompt]), scores.unsqueeze(0)
    if sampling.repetition_penalty != 1:
        scores = RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)(ids, scores)
    scores = TemperatureLogitsWarper(float(sampling.temperature))(ids, scores)
    if sampling.top_k:
        scores = TopKLogitsWarper(sampling.top_k)(ids, scores)
    if sampling.top_p < 1:
        scores = TopPLogitsWarper(sampling.top_p)(ids, scores)
    return scores.softmax(-1)[0]


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=1, top_p=1),
        Sampling(temperature=0.5, top_p=0.8),
        Sampling(temperature=2, top_p=1, top_k=5),
        Sampling(temperature=1.5, top_p=0.6, top_k=20),
        Sampling(temperature=1, top_p=0.9, repetition_penalty=1.7),
    ],
)
def test_draws_follow_the_library_s_distribution(sampling: Sampling) -> None:
    scores, prompt = logits(40), [3, 7, 7]
    expected = library(sampling, scores, prompt)
    generator = torch.Generator().manual_seed(1)
    seen = torch.zeros(40)
    for _ in range(DRAWS):
        chooser = TokenChooser(sampling, prompt)  # afresh: a choice would be penalised later
        chooser._generator = generator
        seen[chooser.choose(scores)] += 1
    assert not (seen[expected == 0]).any(), "a token that must not be chosen was"
    error = (seen / DRAWS - expected).abs().max()
    assert error < 4 * (0.25 / DRAWS) ** 0.5  # four standard deviations of the worst share


@pytest.mark.parametrize("scale", [0.01, 2.0, 12.0])
def test_nucleus_of_a_large_vocabulary_is_exact(scale: float) -> None:
    """Flat distributions need more than the first thousand candidates."""
    scores = logits(5_000, scale=scale)
    sampling = Sampling(temperature=1, top_p=0.9)
    kept = TokenChooser(sampling, [])._candidates(scores)[1]
    expected = library(sampling, scores, [0]).nonzero().flatten()
    # The two sum the probabilities in another order, so one token at the border may differ.
    assert len(set(kept.tolist()) ^ set(expected.tolist())) <= 2


def test_the_likeliest_token_always_stays() -> None:
    scores = torch.tensor([0.0, 50.0, 1.0])
    assert TokenChooser(Sampling(temperature=1, top_p=1e-9), []).choose(scores) == 1
    assert TokenChooser(Sampling(temperature=2, top_p=1, top_k=1), []).choose(scores) == 1
    assert TokenChooser(Sampling(temperature=1, top_p=1, top_k=900), []).choose(scores) == 1


def test_greedy_takes_the_likeliest_after_the_penalty() -> None:
    scores = torch.tensor([1.0, 3.0, 2.0])
    greedy = Sampling(temperature=0)
    assert [int(TokenChooser(greedy, [1]).choose(scores)) for _ in range(2)] == [1, 1]
    chooser = TokenChooser(Sampling(temperature=0, repetition_penalty=2), [1])
    # 3 / 2 < 2; then 2 / 2 < 3 / 2.
    assert [int(chooser.choose(scores)) for _ in range(2)] == [2, 1]


def test_seeds_repeat_and_no_seed_does_not() -> None:
    scores = logits(500)

    def text(seed: int | None) -> list[int]:
        chooser = TokenChooser(Sampling(temperature=1, top_p=1, seed=seed), [])
        return [int(chooser.choose(scores)) for _ in range(20)]

    assert text(3) == text(3)
    assert text(3) != text(4)
    assert text(None) != text(None)


def test_a_copied_request_keeps_its_luck() -> None:
    chooser = TokenChooser(Sampling(temperature=1, seed=1), [])
    assert copy.deepcopy({"chooser": chooser})["chooser"] is chooser
