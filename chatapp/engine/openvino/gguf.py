"""What a GGUF file says about itself, and the exact scales of its 4-bit weights."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import gguf
import numpy as np
import numpy.typing as npt

from chatapp.errors import ModelError

Halves = npt.NDArray[np.float16]
Floats = npt.NDArray[np.float32]

ARCHITECTURES = ("llama", "qwen2", "qwen3")
_TYPES = ("F16", "Q8_0", "Q6_K", "Q4_0", "Q4_1", "Q4_K")
_GROUP = 32
"""Weights that share one scale and one minimum, in Q4_1 and in Q4_K."""


class GGUFWeights:
    """One GGUF file, opened for reading (memory-mapped)."""

    def __init__(self, path: Path, reader: gguf.GGUFReader) -> None:
        self._path = path
        self._reader = reader
        self._tensors = {tensor.name: tensor for tensor in reader.tensors}

    @classmethod
    def read(cls, path: Path) -> GGUFWeights:
        """Open ``path``.

        Raises:
            ModelError: there is no such file, or it is not a GGUF.
        """
        try:
            return cls(path, gguf.GGUFReader(path))
        except (OSError, ValueError, IndexError) as error:
            raise ModelError(f"{path} is not a readable GGUF file: {error}.") from error

    @property
    def architecture(self) -> str:
        """Model family, e.g. ``llama``."""
        return str(self._value("general.architecture"))

    @property
    def layers(self) -> int:
        """Number of transformer blocks."""
        return cast(int, self._value(f"{self.architecture}.block_count"))

    def check_supported(self) -> None:
        """Refuse what OpenVINO's reader refuses, or would silently read wrong.

        Raises:
            ModelError: naming the architecture, the tensor type or the feature.
        """
        if self.architecture not in ARCHITECTURES:
            raise ModelError(
                f"{self._path.name} holds a model of the {self.architecture} family, which the "
                f"OpenVINO engine cannot read; it reads {_listed(ARCHITECTURES)}. Choose another "
                "model, or use the transformers engine."
            )
        for tensor in self._reader.tensors:
            kind = tensor.tensor_type.name
            if len(tensor.shape) > 1 and kind not in _TYPES:
                raise ModelError(
                    f"{self._path.name} stores {tensor.name} as {kind}, which the OpenVINO engine "
                    f"cannot read; it reads {_listed(_TYPES)}. Choose a Q8_0 or Q4_K_M file."
                )
        scaling = self._value(f"{self.architecture}.rope.scaling.type")
        # The reader knows only the plain frequencies: such a model would answer, but badly.
        if "rope_freqs.weight" in self._tensors or scaling not in (None, "none"):
            raise ModelError(
                f"{self._path.name} scales its position encoding (RoPE), which the OpenVINO "
                "engine cannot do. Use the transformers engine for this model."
            )
        if self._value(f"{self.architecture}.expert_count"):
            raise ModelError(
                f"{self._path.name} is a mixture of experts, which the OpenVINO engine cannot "
                "read. Use the transformers engine for this model."
            )

    def has(self, name: str) -> bool:
        """Whether the file holds a tensor of that name."""
        return name in self._tensors

    def shape(self, name: str) -> tuple[int, int]:
        """Rows (outputs) and columns (inputs) of a matrix."""
        columns, rows = self._tensors[name].shape
        return int(rows), int(columns)

    def scales_and_minima(self, name: str) -> tuple[Floats, Floats] | None:
        """Scale d and minimum m, ``weight = d * code + m``, of a matrix with a minimum per group.

        Both are ``[rows, columns / 32]``, rows in the order in which the model's own code has
        them. None for a type whose groups are symmetric, which the library reads exactly.
        Layouts: ``block_q4_1`` and ``block_q4_K`` in ggml-common.h.
        """
        tensor = self._tensors[name]
        kind = tensor.tensor_type.name
        rows, columns = self.shape(name)
        if kind == "Q4_1":
            blocks = tensor.data.reshape(rows, columns // _GROUP, 20)
            pair = np.ascontiguousarray(blocks[..., :4]).view(np.float16).astype(np.float32)
            scales, minima = pair[..., 0], pair[..., 1]
        elif kind == "Q4_K":
            scales, minima = _q4_k(tensor.data.reshape(rows, columns // 256, 144))
        else:
            return None
        order = self._row_order(name, rows)
        return scales[order], minima[order]

    def _row_order(self, name: str, rows: int) -> npt.NDArray[np.int64]:
        """llama.cpp stores the rows of a llama query or key interleaved for its own rotary
        encoding; the library puts them back, and so must we."""
        order = np.arange(rows)
        if self.architecture != "llama" or not name.endswith(("attn_q.weight", "attn_k.weight")):
            return order
        key = "head_count_kv" if name.endswith("attn_k.weight") else "head_count"
        heads = cast(int, self._value(f"llama.attention.{key}"))
        return order.reshape(heads, rows // heads // 2, 2).swapaxes(1, 2).reshape(rows)

    def _value(self, key: str) -> object:
        field = self._reader.get_field(key)
        return None if field is None else field.contents()


def _q4_k(blocks: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Scales and minima of super-blocks ``[rows, n, 144]``: two halves, then 8 six-bit scales and
    8 six-bit minima packed into 12 bytes (``get_scale_min_k4`` in ggml-quants.c)."""
    rows, count, _ = blocks.shape
    outer = np.ascontiguousarray(blocks[..., :4]).view(np.float16).astype(np.float32)
    packed = blocks[..., 4:16].reshape(rows, count, 3, 4)
    low, middle, high = packed[:, :, 0], packed[:, :, 1], packed[:, :, 2]
    scale = np.concatenate([low & 63, (high & 15) | ((low >> 6) << 4)], axis=-1)
    minimum = np.concatenate([middle & 63, (high >> 4) | ((middle >> 6) << 4)], axis=-1)
    scales = (outer[..., :1] * scale).reshape(rows, count * 8)
    minima = (-outer[..., 1:] * minimum).reshape(rows, count * 8)
    return scales.astype(np.float32), minima.astype(np.float32)


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
