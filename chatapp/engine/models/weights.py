"""Which weights a folder holds: their fingerprint and their shapes, without loading them."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path

from chatapp.errors import ModelError

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each tensor by its name."""

_LONGEST_HEADER = 100_000_000
"""Bytes; the format's own limit (huggingface.co/docs/safetensors)."""


def weights_hash(folder: Path) -> str:
    """SHA-256 in hex over a folder's ``*.safetensors`` files, in the order of their names.

    About a second for a gigabyte; it tells the base of an adapter from another with the same name.

    Raises:
        ModelError: there is no such file, or it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for path in _files(folder):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise ModelError(f"The weights in {folder} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def weight_shapes(folder: Path) -> Shapes:
    """The shapes of a folder's tensors.

    Raises:
        ModelError: there is no such file, or it is damaged.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for path in _files(folder):
        shapes |= file_shapes(path)
    return shapes


def file_shapes(path: Path) -> Shapes:
    """The shapes of the tensors in one safetensors file, from its header alone.

    Raises:
        ModelError: it is not a safetensors file, or is cut off.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if not 2 <= length <= _LONGEST_HEADER:
                raise ValueError(f"its header would be {length:,} bytes long")
            header = json.loads(file.read(length))
            shapes = {
                name: tuple(int(size) for size in facts["shape"])
                for name, facts in header.items()
                if name != "__metadata__"
            }
            ends = [facts["data_offsets"][1] for name, facts in header.items() if name in shapes]
            if path.stat().st_size != 8 + length + max(ends, default=0):
                raise ValueError("its length is not what its header says")
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path.name} is not a readable safetensors file: {error}.") from error
    return shapes


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder} holds no safetensors file.")
    return files
