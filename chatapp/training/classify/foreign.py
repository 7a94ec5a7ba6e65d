"""A tuned base of somebody else, served by torch. Importing this module imports torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from peft import PeftModel

from chatapp.errors import ModelError
from chatapp.training.classify.bases import Base
from chatapp.training.classify.learners import load_learner
from chatapp.training.classify.likeness import Readings
from chatapp.training.classify.readers import Reader


def foreign_reader(base: Base, folder: Path, max_length: int) -> Reader:
    """The base with the adapter in ``folder``.

    Raises:
        ModelError: the base cannot be loaded, or the adapter is not for it.
    """
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(f"The classifier in {folder} has no adapter_model.safetensors.")
    learner = load_learner(base, max_length, dropout=0.0, quantized=False)
    try:
        learner.model = PeftModel.from_pretrained(learner.model, str(folder)).eval()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The adapter in {folder} does not fit {base.name}: {str(error).splitlines()[0]}."
        ) from error
    turn = threading.Lock()

    def read(texts: Sequence[str]) -> Readings:
        with turn:
            return learner.embed(texts)

    return read
