"""MiniLM on numpy gives what the original gives."""

from __future__ import annotations

import numpy as np
import pytest

from chatapp.knowledge.minilm import MiniLm


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm()


def test_its_vectors_are_those_of_sentence_transformers(minilm: MiniLm) -> None:
    english, chinese = minilm.embed(["How do I return a tent?", "怎么退货"])

    # From SentenceTransformer(…).encode(…, normalize_embeddings=True) of the same weights.
    assert english[:6] == pytest.approx(
        [0.06629, 0.10969, 0.00501, 0.06214, 0.09268, 0.01459], abs=2e-3
    )
    assert chinese[:4] == pytest.approx([0.05181, 0.05502, 0.05782, 0.01012], abs=2e-3)


def test_each_is_of_length_one_in_the_order_given(minilm: MiniLm) -> None:
    texts = ["a much longer question about tents and boots", "boots", "tents", ""]

    together = minilm.embed(texts)

    assert together.shape == (4, minilm.dimension)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    alone = np.concatenate([minilm.embed_queries([text]) for text in texts])
    assert np.allclose(together, alone, atol=1e-5)


def test_what_means_the_same_is_near(minilm: MiniLm) -> None:
    card, stolen, weather = minilm.embed(
        ["I lost my card", "My debit card was stolen", "Will it rain tomorrow?"]
    )

    assert card @ stolen > 0.5 > card @ weather


def test_it_takes_no_text_and_endless_text(minilm: MiniLm) -> None:
    assert minilm.embed([]).shape == (0, 384)
    assert np.isfinite(minilm.embed(["word " * 5_000, "\x00\ud7ff"])).all()


def test_it_counts_word_pieces(minilm: MiniLm) -> None:
    assert minilm.count_tokens("How do I return a tent?") == 7
    assert minilm.count_tokens("word " * 5_000) == minilm.max_tokens
