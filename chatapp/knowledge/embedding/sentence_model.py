"""Embedders of the sentence-transformers kind: the bundled MiniLM, a hub id or a local folder.

Importing this module imports torch.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from sentence_transformers import SentenceTransformer

from chatapp.errors import ModelError
from chatapp.knowledge_records import Vectors

_BATCH = 32


class SentenceModel:
    """One sentence-transformers model. Any thread may call it; they take turns by the batch."""

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self.name = name
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.max_tokens = int(model.get_max_seq_length() or 512)
        self._model = model
        self._turn = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages or FAQ questions, each of length 1."""
        return self._embed(texts, "document")

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The same with the prompt for queries, where the model has one."""
        return self._embed(texts, "query")

    def count_tokens(self, text: str) -> int:
        """Tokens, without those that mark begin and end."""
        with self._turn:
            return len(self._model.tokenizer.encode(text, add_special_tokens=False))

    def _embed(self, texts: Sequence[str], kind: str) -> Vectors:
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            with self._turn:
                read = encode(batch, normalize_embeddings=True, show_progress_bar=False)
            vectors[start : start + _BATCH] = cast(Vectors, read)
        return vectors


def load(setting: str, folder: Path) -> SentenceModel:
    """Load a folder, and name it after its setting and its content.

    Raises:
        ModelError: it holds no such model, or one that cannot be loaded.
    """
    try:
        model = SentenceTransformer(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The embedder in {folder} cannot be loaded: {error}. CHATAPP_EMBEDDER must name a "
            "sentence-transformers model with .safetensors weights."
        ) from error
    return SentenceModel(model, f"{Path(setting).name.lower()}-{_fingerprint(folder)}")


def _fingerprint(folder: Path) -> str:
    """Changes when the model does: vectors of different weights must not be compared."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".safetensors"):
            digest.update(f"{path.relative_to(folder)} {path.stat().st_size}".encode())
            with path.open("rb") as file:
                digest.update(file.read(1 << 20))
    return digest.hexdigest()[:12]
