"""The multilingual encoder learns in torch and is served by numpy: both must say the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from chatapp.knowledge.embedding.bundled import BundledEmbedder
from chatapp.training.classify.bases import find_base
from chatapp.training.classify.learners import Learner, load_learner
from chatapp.training.classify.universal import LINEAR

_TEXTS = ["很快，好吃，味道足，量大", "Where is my card?? 3.5 days", "", "x", "a" * 90]


@pytest.fixture(scope="module")
def embedder() -> BundledEmbedder:
    return BundledEmbedder()


@pytest.fixture(scope="module")
def learner() -> Learner:
    return load_learner(find_base("multilingual"), 128, dropout=0.1, quantized=False)


def test_torch_reads_as_numpy_does(embedder: BundledEmbedder, learner: Learner) -> None:
    assert np.allclose(learner.embed(_TEXTS), embedder.embed(_TEXTS), atol=1e-5)


def test_changed_weights_are_served_and_the_old_ones_stay(
    embedder: BundledEmbedder, learner: Learner
) -> None:
    before = embedder.embed(_TEXTS)
    weights = {}
    for name in LINEAR:
        layer = getattr(learner.model, name)
        with torch.no_grad():
            layer.weight *= 1.1
        weights[name] = np.ascontiguousarray(layer.weight.detach().numpy().T)

    changed = embedder.changed("tuned", weights)

    assert np.allclose(learner.embed(_TEXTS), changed.embed(_TEXTS), atol=1e-5)
    assert np.abs(changed.embed(_TEXTS) - before).max() > 0.01
    assert np.array_equal(embedder.embed(_TEXTS), before)


@pytest.mark.parametrize(
    ("name", "shape"), [("table", (2, 2)), ("d0", (3, 3)), ("w1_2", (512, 255))]
)
def test_weights_of_another_model_are_refused(
    embedder: BundledEmbedder, name: str, shape: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="multilingual encoder"):
        embedder.changed("tuned", {name: np.zeros(shape, np.float32)})


def test_long_texts_are_cut_but_end_as_they_should(learner: Learner) -> None:
    (ids,) = learner.tokens(["word " * 1_000])

    assert len(ids) == 128
    assert ids[-1] == learner.tokens(["word"])[0][-1]
