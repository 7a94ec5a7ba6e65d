"""Finds the passages of a collection that answer a question, and says how sure it is."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.base import Embedder, PassageSource, index_text
from chatapp.knowledge.calibration import THRESHOLD, relevance
from chatapp.knowledge.candidates import Candidates, ReadQuery, candidates
from chatapp.knowledge.duplicates import Likeness
from chatapp.knowledge.index import CollectionIndex
from chatapp.knowledge.languages import language_of
from chatapp.knowledge.snapshot import Snapshot
from chatapp.knowledge_records import Collection, Found, Hit

if TYPE_CHECKING:
    from chatapp.knowledge.reranking import Reranker

_RERANKED = 24
_OWN_SAY = 0.3
"""Weight of the calibrated relevance beside a reranker's."""

Mask = npt.NDArray[np.bool_]


class Search:
    """Searches collections. Any thread may call it.

    Args:
        source: the database.
        embedder_provider: asked for the embedder each time, as it may change.
        folder: the data folder; indexes are kept in ``index/`` below.
        reranker: a cross-encoder's hub id or folder, loaded at the first search.
    """

    def __init__(
        self,
        source: PassageSource,
        embedder_provider: Callable[[], Embedder],
        folder: Path,
        reranker: str | None = None,
    ) -> None:
        self._source = source
        self._embedder = embedder_provider
        self._folder = folder / "index"
        self._rerank = _Reranking(reranker) if reranker else None
        self._opening = threading.Lock()
        self._indexes: dict[tuple[str, str], CollectionIndex] = {}
        self._carer = ThreadPoolExecutor(1, "index-care")

    def search(
        self,
        collection: Collection,
        query: str,
        *,
        k: int = 8,
        language: str | None = None,
        tag: str | None = None,
    ) -> Found:
        """Find up to ``k`` passages to use, and beside them some that are not used, and why.

        Args:
            language, tag: only passages in this language, only documents with this tag.

        Raises:
            ModelError: the embedder or the reranker cannot be loaded.
        """
        watch = _Watch()
        embedder = self._embedder()
        vector = embedder.embed_queries([query])[0]
        watch.step("embed")
        snapshot = self._snapshot(collection.id, embedder)
        watch.step("index")
        allowed = self._allowed(snapshot, collection.id, language, tag)
        found = candidates(snapshot, ReadQuery(query, vector, language_of(query)), allowed)
        watch.step("search")
        threshold = THRESHOLD if collection.threshold is None else collection.threshold
        hits = self._hits(snapshot, found, max(4 * k, _RERANKED))
        watch.step("fetch")
        if self._rerank:
            hits = self._rerank(query, hits)
            watch.step("rerank")
        return Found(
            query=query,
            hits=_judged(hits, k, threshold),
            threshold=threshold,
            index_version=f"{embedder.name}@{snapshot.revision}",
            embedder=embedder.name,
            timings=watch.milliseconds,
        )

    def is_empty(self, collection: Collection) -> bool:
        """Whether there is nothing to search."""
        return len(self._snapshot(collection.id, self._embedder())) == 0

    def warm(self, collections: Iterable[Collection]) -> None:
        """Load the embedder, the indexes and, where a collection holds Chinese, the dictionary
        before somebody asks."""
        for collection in collections:
            self.search(collection, "warm 热身", k=1)

    def close(self) -> None:
        """Save what is not saved yet. Searching goes on to work, but nothing more is saved."""
        self._carer.shutdown()
        for index in self._indexes.values():
            index.save()

    def _snapshot(self, collection_id: str, embedder: Embedder) -> Snapshot:
        key = collection_id, embedder.name
        with self._opening:
            if key not in self._indexes:
                name = re.sub(r"[^\w.-]+", "-", embedder.name)
                self._indexes[key] = CollectionIndex(
                    self._source,
                    collection_id,
                    embedder.name,
                    embedder.dimension,
                    self._folder / collection_id / name,
                )
            index = self._indexes[key]
        snapshot = index.current()
        if index.wants_care:
            with suppress(RuntimeError):  # closed
                self._carer.submit(index.care)
        return snapshot

    def _allowed(
        self, snapshot: Snapshot, collection_id: str, language: str | None, tag: str | None
    ) -> Mask:
        if language is None and tag is None:
            return snapshot.alive
        chosen = self._source.select(collection_id, language=language, tag=tag)
        return snapshot.alive & np.isin(snapshot.ids, chosen)

    def _hits(self, snapshot: Snapshot, found: Candidates, most: int) -> list[Hit]:
        """The best of them, by falling relevance, if they still exist."""
        shares = relevance(found)
        order = np.argsort(-shares, kind="stable")[:most]
        ids = snapshot.ids[found.rows]
        passages = self._source.fetch([int(ids[place]) for place in order])
        return [
            Hit(
                passage=passages[int(ids[place])],
                dense=float(found.dense[place]),
                lexical=float(found.lexical[place]) or None,
                relevance=float(shares[place]),
            )
            for place in order
            if int(ids[place]) in passages
        ]


class _Reranking:
    """Loads the cross-encoder at its first use."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._loading = threading.Lock()
        self._model: Reranker | None = None

    def __call__(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """The first of the hits scored anew; the others are left out."""
        first = hits[:_RERANKED]
        scores = self._loaded().relevance(query, [index_text(hit.passage) for hit in first])
        mixed = [
            replace(hit, relevance=_OWN_SAY * hit.relevance + (1 - _OWN_SAY) * float(score))
            for hit, score in zip(first, scores, strict=True)
        ]
        return sorted(mixed, key=lambda hit: -hit.relevance)

    def _loaded(self) -> Reranker:
        with self._loading:
            if self._model is None:
                # Needs torch, which is loaded only where it is asked for.
                from chatapp.knowledge.reranking import Reranker

                self._model = Reranker(self._setting)
            return self._model


def _judged(hits: Sequence[Hit], k: int, threshold: float) -> tuple[Hit, ...]:
    """Up to ``k`` hits to use, and the others down to the last of them; where fewer are good
    enough, ``k`` hits and the duplicates among them."""
    judged: list[Hit] = []
    kept: list[Likeness] = []
    for hit in hits:
        if len(kept) == k:
            break
        likeness = Likeness.of(hit.passage)
        if any(likeness.same(other) for other in kept):
            judged.append(replace(hit, dropped="duplicate"))
            continue
        kept.append(likeness)
        judged.append(hit if hit.relevance >= threshold else replace(hit, dropped="weak"))
    return tuple(judged)


class _Watch:
    """Times steps, in milliseconds."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def step(self, name: str) -> None:
        """What was done since the last step was this."""
        now = time.perf_counter()
        self.milliseconds[name] = round((now - self._last) * 1000, 2)
        self._last = now
