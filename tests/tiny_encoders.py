"""A tiny BERT with random weights and a real word-piece tokenizer, written in no time.

Its sizes are such that bitsandbytes can pack it, as in ``tiny_models``. Nothing here imports torch.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

HIDDEN, LAYERS, HEADS, FEED_FORWARD, PLACES = 64, 2, 4, 128, 64
_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def tiny_bert(folder: Path, seed: int = 0) -> Path:
    """Write a Hugging Face folder with float32 safetensors and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    save_file(_weights(vocabulary, seed), folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": FEED_FORWARD,
        "max_position_embeddings": PLACES,
        "type_vocab_size": 2,
        "pad_token_id": 0,
        "dtype": "float32",
    }
    (folder / "config.json").write_text(json.dumps(config))
    said = {"tokenizer_class": "BertTokenizer", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    return folder


def _tokenizer() -> Tokenizer:
    """Every letter is a piece: any text can be written."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789?!.,'"
    pieces = [*_SPECIALS, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(
        models.WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def _weights(vocabulary: int, seed: int) -> dict[str, npt.NDArray[np.float32]]:
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> npt.NDArray[np.float32]:
        return (random.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": matrix(vocabulary, HIDDEN),
        "embeddings.position_embeddings.weight": matrix(PLACES, HIDDEN),
        "embeddings.token_type_embeddings.weight": matrix(2, HIDDEN),
        "pooler.dense.weight": matrix(HIDDEN, HIDDEN),
        "pooler.dense.bias": np.zeros(HIDDEN, np.float32),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        sizes = {f"attention.self.{part}": (HIDDEN, HIDDEN) for part in ("query", "key", "value")}
        sizes["attention.output.dense"] = (HIDDEN, HIDDEN)
        sizes["intermediate.dense"] = (FEED_FORWARD, HIDDEN)
        sizes["output.dense"] = (HIDDEN, FEED_FORWARD)
        for name, (rows, columns) in sizes.items():
            tensors[f"{layer}.{name}.weight"] = matrix(rows, columns)
            tensors[f"{layer}.{name}.bias"] = np.zeros(rows, np.float32)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for norm in norms:
        tensors[f"{norm}.weight"] = np.ones(HIDDEN, np.float32)
        tensors[f"{norm}.bias"] = np.zeros(HIDDEN, np.float32)
    return tensors
