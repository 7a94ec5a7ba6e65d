"""Which model learns: from the name in a run's settings to files that a trainer can load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from chatapp.engine.models.prepare import PreparedModel, fetch, prepare, resolve
from chatapp.errors import InvalidRequest, ModelError
from chatapp.training import classify
from chatapp.training.classify.bases import find_base
from chatapp.training_records import Task

AUTO = "auto"
CHAT = "chat"
"""The model that answers in the chat, which can learn to sort texts too."""


class Finds(Protocol):
    """Finds the files of a base."""

    def tokenizer(self, base: str) -> Path:
        """The folder with its tokenizer and chat template."""
        ...

    def learner(self, task: Task, base: str, languages: Mapping[str, float], rows: int) -> str:
        """What the trainer is to load: a path, or a name that it knows."""
        ...


class Bases:
    """The chat's own model, and any other.

    Args:
        model: as the setting names it.
        data: the data folder, where prepared models are kept.
    """

    def __init__(self, model: str, data: Path) -> None:
        self._model = model
        self._data = data

    def tokenizer(self, base: str) -> Path:
        """The folder with the tokenizer and the chat template of a base.

        Raises:
            ModelError: there is no such model.
        """
        return self._prepared(base, dense=False).tokenizer

    def learner(self, task: Task, base: str, languages: Mapping[str, float], rows: int) -> str:
        """What the trainer is to load.

        Args:
            base: ``auto``, ``chat``, a hub id or a folder; for labels also a name that
                ``training.classify`` knows.
            languages: the share of each in the data.

        Raises:
            ModelError: there is no such model, or it cannot learn.
        """
        if task == "classify":
            if base == AUTO:
                base, _ = classify.recommend_base(languages, rows)
            if base != CHAT:
                if not _is_hub_id(base):  # the run itself downloads one
                    find_base(base)
                return base
        dense = self._prepared(base, dense=True).dense
        assert dense is not None
        return str(dense)

    def _prepared(self, base: str, *, dense: bool) -> PreparedModel:
        """Where ``resolve`` speaks of a setting, this speaks of a base."""
        own = base in (AUTO, CHAT)
        try:
            source = resolve(self._model if own else base)
        except ModelError:
            if own:
                raise
            raise InvalidRequest(
                f"There is no base model {base!r}. Write auto, a hub id like "
                "HuggingFaceTB/SmolLM2-360M-Instruct, or a folder with safetensors.",
                base=base,
            ) from None
        local = fetch(source, self._data, _quiet)
        return prepare(local, self._data, {"dense"} if dense else set(), _quiet)


def _is_hub_id(base: str) -> bool:
    return base.count("/") == 1 and not Path(base).expanduser().is_dir()


def _quiet(_step: str, _share: float | None, /) -> None:
    """Nobody watches."""
