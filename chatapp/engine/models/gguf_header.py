"""What a GGUF file says about itself, read without its weights and without any library.

The format is described in ggml's ``docs/gguf.md``. Only scalars of the metadata are kept: the
vocabulary's long lists are stepped over, so a header takes a fraction of a second.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from chatapp.errors import ModelError

Scalar = str | int | float | bool

_FIXED = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9

TYPE_NAMES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K",
    11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 20: "IQ4_NL", 23: "IQ4_XS", 30: "BF16",
}  # fmt: skip
"""Names of the common ``ggml_type`` numbers."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: ``shape`` is [rows, columns], ``start`` counts bytes from the file's start."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int

    @property
    def elements(self) -> int:
        """Number of values."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """The scalars of the metadata and the list of tensors."""

    path: Path
    metadata: Mapping[str, Scalar]
    tensors: tuple[TensorInfo, ...]

    @property
    def architecture(self) -> str:
        """The model's family, e.g. ``llama``."""
        return str(self.metadata.get("general.architecture", ""))

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number of this architecture, e.g. ``block_count``.

        Raises:
            ModelError: the file does not say, and there is no default.
        """
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        if not isinstance(value, int):
            raise ModelError(
                f"{self.path} does not state {self.architecture}.{key}, so it cannot be used. "
                "Download the file again or choose another one."
            )
        return value

    def number(self, key: str, default: float) -> float:
        """A real number of this architecture, e.g. ``rope.freq_base``."""
        return float(self.metadata.get(f"{self.architecture}.{key}", default))

    def token_ids(self) -> dict[str, int | list[int]]:
        """Ids of the special tokens, as generation_config.json names them. Llama 3 ends a turn
        with another token than a text: an answer ends at either."""
        ids: dict[str, int | list[int]] = {}
        for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding")):
            value = self.metadata.get(f"tokenizer.ggml.{key}_token_id")
            if isinstance(value, int):
                ids[f"{name}_token_id"] = value
        turn = self.metadata.get("tokenizer.ggml.eot_token_id")
        text = ids.get("eos_token_id")
        if isinstance(turn, int) and isinstance(text, int) and turn != text:
            ids["eos_token_id"] = [text, turn]
        return ids

    @property
    def quantization(self) -> str:
        """How most of the weights are stored, e.g. ``Q4_1``."""
        weights: dict[int, int] = {}
        for tensor in self.tensors:
            weights[tensor.kind] = weights.get(tensor.kind, 0) + tensor.elements
        kind = max(weights, key=weights.__getitem__)
        return TYPE_NAMES.get(kind, f"ggml type {kind}")

    @property
    def matrix_kinds(self) -> frozenset[str]:
        """The types in which matrices are stored; vectors are always F32."""
        kinds = {tensor.kind for tensor in self.tensors if len(tensor.shape) > 1}
        return frozenset(TYPE_NAMES.get(kind, str(kind)) for kind in kinds)


def read_header(path: Path) -> GGUFHeader:
    """Read the header of ``path``.

    Raises:
        ModelError: the file cannot be opened, is not a GGUF file, or is cut off.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(path, _Cursor(data))
    except (OSError, ValueError, struct.error) as error:
        raise ModelError(
            f"{path} cannot be read as a GGUF file: {error}. It may be damaged or only partly "
            "downloaded; download it again."
        ) from error


class _Cursor:
    """Walks over the bytes of the header; every step past the end is a ValueError."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> int | float | bool:
        value: int | float | bool = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def count(self) -> int:
        return int(self.take("<Q"))

    def skip(self, length: int) -> int:
        """Step over ``length`` bytes and return where they began."""
        start = self.at
        if length > len(self.data) - start:
            raise ValueError("the header is cut off")
        self.at = start + length
        return start

    def text(self) -> str:
        length = self.count()
        start = self.skip(length)
        return self.data[start : start + length].decode("utf-8", errors="replace")

    def value(self, kind: int) -> Scalar | None:
        """The next value; None for an array, which is stepped over."""
        if kind in _FIXED:
            return self.take(_FIXED[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            raise ValueError(f"unknown metadata type {kind}")
        item, length = int(self.take("<I")), self.count()
        if item in _FIXED:
            self.skip(struct.calcsize(_FIXED[item]) * length)
        elif item == _STRING:
            for _ in range(length):
                self.skip(self.count())
        else:
            raise ValueError(f"an array of metadata type {item}")
        return None


def _parse(path: Path, cursor: _Cursor) -> GGUFHeader:
    cursor.skip(4)
    if cursor.data[:4] != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    version = int(cursor.take("<I"))
    if version not in (2, 3):
        raise ValueError(f"its format version is {version}, known are 2 and 3")
    tensor_count, pair_count = cursor.count(), cursor.count()
    metadata: dict[str, Scalar] = {}
    for _ in range(pair_count):
        key = cursor.text()
        value = cursor.value(int(cursor.take("<I")))
        if value is not None:
            metadata[key] = value
    tensors = []
    for _ in range(tensor_count):
        name = cursor.text()
        # The file lists columns before rows.
        shape = tuple(cursor.count() for _ in range(int(cursor.take("<I"))))[::-1]
        tensors.append(TensorInfo(name, shape, int(cursor.take("<I")), cursor.count()))
    if not tensors:
        raise ValueError("it holds no weights")
    alignment = int(metadata.get("general.alignment", 32))
    first = -(-cursor.at // alignment) * alignment
    placed = tuple(TensorInfo(t.name, t.shape, t.kind, first + t.start) for t in tensors)
    if max(tensor.start for tensor in placed) >= len(cursor.data):
        raise ValueError("its weights are cut off")
    return GGUFHeader(path, metadata, placed)
