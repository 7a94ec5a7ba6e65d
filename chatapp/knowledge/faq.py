"""Finds the FAQ entry that a question means: the same words first, then the same sense."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from chatapp.knowledge.base import Embedder, FaqSource, VectorCache
from chatapp.knowledge.faq_nearness import FAQ_THRESHOLD
from chatapp.knowledge.faq_variants import FaqVariants, Readers
from chatapp.knowledge.normalising import normalised
from chatapp.knowledge_records import Collection, FaqEntry, FaqMatch

__all__ = ["FAQ_THRESHOLD", "FaqMatcher"]

_READ = 600
"""Characters of a question that are compared; whoever writes more asks for more than one thing."""


class FaqMatcher:
    """Matches questions to entries, following the database. Blocking; any thread may call it.

    Args:
        source: the entries, whose revision is asked for at every question.
        embedder: the one in use; it is not touched for a question that is there word for word.
        cache: keeps the vectors of variants from one start to the next.
        english: reads English questions and variants too, and is believed more than ``embedder``
            there: for one that knows many languages but none of them as well.
    """

    def __init__(
        self,
        source: FaqSource,
        embedder: Callable[[], Embedder],
        cache: VectorCache,
        english: Embedder | None = None,
    ) -> None:
        self._source = source
        self._embedder = embedder
        self._readers = Readers(cache, english)
        self._lock = threading.Lock()
        self._building: dict[str, threading.Lock] = {}
        self._known: dict[str, tuple[int, FaqVariants]] = {}

    def exact(self, collection: Collection, question: str) -> FaqEntry | None:
        """The entry with this very question, but for case, punctuation and width."""
        found = self._faq(collection.id).verbatim(question)
        return found[0] if found else None

    def match(self, collection: Collection, question: str) -> FaqMatch | None:
        """The entry nearest to a question; None without entries, or without a word to go by.

        Raises:
            ModelError: the embedder cannot be loaded.
        """
        faq = self._faq(collection.id)
        threshold = FAQ_THRESHOLD
        if collection.faq_threshold is not None:
            threshold = collection.faq_threshold
        if found := faq.verbatim(question):
            return FaqMatch(
                entry=found[0],
                question=found[1],
                exact=True,
                confidence=1.0,
                runner_up=0.0,
                threshold=threshold,
                accepted=True,
            )
        question = question[:_READ]
        if not faq.texts or not normalised(question):
            return None
        nearest = faq.nearest(question, self._embedder())
        return FaqMatch(
            entry=faq.entries[nearest.entry],
            question=faq.texts[nearest.variant],
            exact=False,
            confidence=nearest.confidence,
            runner_up=nearest.runner_up,
            threshold=threshold,
            accepted=nearest.confidence >= threshold and not nearest.tied,
        )

    def warm(self, collections: Iterable[Collection]) -> None:
        """Do now what the first question to each collection would wait for.

        Raises:
            ModelError: the embedder cannot be loaded.
        """
        for collection in collections:
            faq = self._faq(collection.id)
            for question in faq.one_of_each_language():
                faq.nearest(question, self._embedder())

    def _faq(self, collection_id: str) -> FaqVariants:
        """The entries as they are now."""
        revision = self._source.revision(collection_id)
        if (known := self._known.get(collection_id)) and known[0] == revision:
            return known[1]
        with self._lock:
            building = self._building.setdefault(collection_id, threading.Lock())
        with building:
            known = self._known.get(collection_id)
            if known is None or known[0] != revision:
                faq = FaqVariants(self._source.entries(collection_id), self._readers)
                if known is not None:
                    faq.inherit(known[1])
                known = self._known[collection_id] = (revision, faq)
            return known[1]
