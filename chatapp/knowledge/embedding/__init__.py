"""Turns text into vectors, by the model that a setting names."""

from __future__ import annotations

from chatapp.knowledge.base import Embedder
from chatapp.knowledge.embedding.model_folder import find_model


def make_embedder(setting: str) -> Embedder:
    """The embedder named by ``CHATAPP_EMBEDDER``.

    Args:
        setting: ``bundled`` (16 languages, loads at its first use), ``minilm`` (English), or a
            sentence-transformers hub id or local folder, which is loaded here and now.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    if setting == "bundled":
        from chatapp.knowledge.embedding.bundled import BundledEmbedder

        return BundledEmbedder()
    folder = find_model(setting)
    # Needs torch, which is loaded only where it is asked for.
    from chatapp.knowledge.embedding.sentence_model import load

    return load(setting, folder)
