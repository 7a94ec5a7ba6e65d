"""The chat model's dense weights, where they lie ready: what adapters are checked against."""

from __future__ import annotations

from pathlib import Path

from chatapp.engine.models.prepare import dense_if_ready
from chatapp.engine.models.source import ModelSource, resolve, resolve_folder
from chatapp.engine.models.weights import Shapes, weight_shapes, weights_hash
from chatapp.errors import ModelError


class DenseBase:
    """Knows the base by its weights. Nothing is fetched or converted for it.

    Args:
        model: as ``CHATAPP_MODEL`` names it; None for a model on another machine.
        data: the data folder.
    """

    def __init__(self, model: str | None, data: Path) -> None:
        self._model = model
        self._data = data
        self._hashed: tuple[tuple[Path, int], str] | None = None

    def folder(self) -> Path | None:
        """The Hugging Face folder; None until training or the transformers engine needed it."""
        source = self._source()
        return None if source is None else dense_if_ready(source, self._data)

    def hash(self) -> str:
        """Of the weights; empty where they do not lie ready."""
        folder = self.folder()
        if folder is None:
            return ""
        key = (folder, _newest(folder))
        if self._hashed is None or self._hashed[0] != key:
            self._hashed = key, weights_hash(folder)
        return self._hashed[1]

    def shapes(self) -> Shapes | None:
        """Of the weights; None where they do not lie ready."""
        folder = self.folder()
        return None if folder is None else weight_shapes(folder)

    def _source(self) -> ModelSource | None:
        if self._model is None:
            return None
        try:
            source = resolve(self._model)
        except ModelError:
            return None
        if source.kind != "hub":
            return source
        files = self._data.resolve() / "models" / source.name.replace("/", "--") / "files"
        return resolve_folder(files) if files.is_dir() else None


def _newest(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in folder.glob("*.safetensors")), default=0)
