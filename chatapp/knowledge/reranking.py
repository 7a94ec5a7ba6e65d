"""A cross-encoder, which reads query and passage together: slower and surer than two vectors.

Importing this module imports torch.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from sentence_transformers import CrossEncoder
from torch import nn

from chatapp.errors import ModelError


class Reranker:
    """One cross-encoder with a single score. Any thread may call it; they take turns.

    Raises:
        ModelError: there is no such model, or it is of another kind.
    """

    def __init__(self, setting: str) -> None:
        try:
            # Some leave the score as it is; with the sigmoid it is in 0–1 for every model.
            self._model = CrossEncoder(
                setting,
                activation_fn=nn.Sigmoid(),
                model_kwargs={"use_safetensors": True},  # never a pickle
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"The reranker {setting} cannot be loaded: {error}. CHATAPP_RERANKER must name a "
                "cross-encoder, as a hub id or a local folder."
            ) from error
        if self._model.num_labels != 1:
            raise ModelError(
                f"The reranker {setting} has {self._model.num_labels} scores, but must have one. "
                "CHATAPP_RERANKER must name a cross-encoder that is trained for search."
            )
        self._turn = threading.Lock()

    def relevance(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """How relevant each text is to the query, shape (texts,), in 0–1."""
        pairs = [(query, text) for text in texts]
        with self._turn:
            scores = self._model.predict(pairs, show_progress_bar=False)
        return cast("npt.NDArray[np.float32]", scores)
