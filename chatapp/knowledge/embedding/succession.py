"""From one embedder to the next, without a time in which nothing is found."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from chatapp.errors import ModelError
from chatapp.knowledge.base import Embedder, PassageSource
from chatapp.knowledge.embedding import make_embedder

log = logging.getLogger(__name__)

_ASKED_EVERY = 5.0
"""Seconds between two looks at whether all passages are embedded."""


class Succession:
    """The embedder that is set, and the one before until every passage has a new vector.

    Any thread may call it.

    Args:
        setting: ``CHATAPP_EMBEDDER``.
        folder: the data folder; ``index/embedder.json`` below says which setting answers now.
        make: builds an embedder from a setting.
        clock: seconds, of any beginning.
    """

    def __init__(
        self,
        setting: str,
        source: PassageSource,
        folder: Path,
        make: Callable[[str], Embedder] = make_embedder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._setting = setting
        self._source = source
        self._path = folder / "index" / "embedder.json"
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._current: Embedder | None = None
        self._before: Embedder | None = None
        self._settled = False
        self._asked_at = -_ASKED_EVERY

    def current(self) -> Embedder:
        """The one that is set: documents and FAQ entries are read with it.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._lock:
            return self._loaded()

    def answering(self) -> Embedder:
        """The one that knows every passage: questions are read with it.

        Raises:
            ModelError: the one that is set cannot be loaded.
        """
        with self._lock:
            current = self._loaded()
            if not self._settled and self._clock() - self._asked_at >= _ASKED_EVERY:
                self._asked_at = self._clock()
                self._look(current)
            return self._before or current

    def _loaded(self) -> Embedder:
        if self._current is None:
            self._current = self._make(self._setting)
        return self._current

    def _look(self, current: Embedder) -> None:
        answered = self._answered()
        if answered in (None, self._setting) or not self._source.without_vectors(current.name, 1):
            self._before, self._settled = None, True
            self._write()
        elif self._before is None:
            try:
                self._before = self._make(str(answered))
            except ModelError as error:
                log.warning("Until all is embedded anew, little is found: %s", error)

    def _answered(self) -> str | None:
        try:
            answered = json.loads(self._path.read_text())["setting"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return str(answered)

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps({"setting": self._setting}))
        new.replace(self._path)
