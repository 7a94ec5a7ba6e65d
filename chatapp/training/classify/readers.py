"""The ways in which a classifier reads texts, on numpy alone wherever that is possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from chatapp.errors import ModelError
from chatapp.knowledge.embedding.bundled import BundledEmbedder
from chatapp.knowledge.minilm import MiniLm
from chatapp.training.classify.bases import Base, Kind
from chatapp.training.classify.likeness import Floats, Readings

TUNED, MINILM, MULTILINGUAL, GRAMS = "tuned", "minilm", "multilingual", "grams"
"""The names of the views: the base as the fine-tune left it, the two bundled encoders as they are,
and ``grams.Grams``."""

ENCODER_FILE = "encoder.safetensors"
_LONGEST = 4_000
"""Characters of a text that are read; whatever follows would cost time and change little."""


def readable(text: str) -> str:
    """What every view can read: not endless, and without halves of characters."""
    return text[:_LONGEST].encode("utf-8", "replace").decode("utf-8")


class Reader(Protocol):
    """Reads texts; any thread may call it."""

    def __call__(self, texts: Sequence[str], /) -> Readings:
        """A row of length 1 for each text."""


class Encoders:
    """The two bundled encoders, each loaded at its first use and shared by all that need it."""

    @cached_property
    def minilm(self) -> MiniLm:
        """English."""
        return MiniLm()

    @cached_property
    def multilingual(self) -> BundledEmbedder:
        """16 languages."""
        return BundledEmbedder()

    def frozen(self, view: str) -> Reader:
        """A bundled encoder as it is."""
        return (self.minilm if view == MINILM else self.multilingual).embed

    def changed(self, kind: Kind, weights: Mapping[str, Floats]) -> Reader:
        """A bundled encoder as a fine-tune left it.

        Raises:
            ValueError: the weights do not belong to it.
        """
        base = self.minilm if kind == "minilm" else self.multilingual
        return base.changed("tuned", weights).embed


def frozen_views(kind: Kind) -> tuple[str, ...]:
    """What is looked at beside the tuned base. MiniLM reads English only, and so it helps only
    where it was chosen."""
    return (MINILM, MULTILINGUAL, GRAMS) if kind == "minilm" else (MULTILINGUAL, GRAMS)


def tuned_reader(base: Base, folder: Path, encoders: Encoders, max_length: int) -> Reader:
    """The base as a fine-tune left it, from a classifier's folder.

    Raises:
        ModelError: its files are damaged, or belong to another base.
    """
    if base.kind in ("encoder", "decoder"):
        # Other people's models need torch; it is loaded only where such a one is served.
        from chatapp.training.classify.foreign import foreign_reader

        return foreign_reader(base, folder, max_length)
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return encoders.changed(base.kind, load_file(folder / ENCODER_FILE))
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"The classifier in {folder} cannot be loaded: {error}. Train it again, or copy its "
            "folder once more."
        ) from error
