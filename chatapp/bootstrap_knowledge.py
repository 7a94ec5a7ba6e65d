"""Builds the knowledge: documents, FAQ, search and what joins them; and the staff's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatapp.flows.grounded import Grounded
from chatapp.flows.ingest import Ingest
from chatapp.flows.preparing import Preparation
from chatapp.flows.routing import Router
from chatapp.knowledge.base import Embedder
from chatapp.knowledge.embedding.succession import Succession
from chatapp.knowledge.faq import FaqMatcher
from chatapp.knowledge.minilm import MiniLm
from chatapp.knowledge.reading import Reader
from chatapp.knowledge.search import Search
from chatapp.settings import Settings
from chatapp.store import (
    Collections,
    Database,
    Documents,
    Faqs,
    IngestFiles,
    UnansweredQuestions,
    VectorTexts,
)

PUBLIC = "public"
"""The collection that is there from the start."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The team's documents and FAQ, and all that reads and writes them."""

    collections: Collections
    documents: Documents
    faqs: Faqs
    files: IngestFiles
    unanswered: UnansweredQuestions
    embedder: Callable[[], Embedder]
    search: Search
    matcher: FaqMatcher
    router: Router
    ingest: Ingest
    folder: Path
    _closers: Sequence[Callable[[], None]]

    def grounded(self, settings: Settings) -> Grounded:
        """Answers from it."""
        return Grounded(
            self.router,
            self.collections,
            self.embedder,
            style=settings.answer_style,
            documents=self.documents,
            unanswered=self.unanswered,
        )

    def warm(self) -> None:
        """Load what the first question would wait for. Blocking.

        Raises:
            ChatAppError: an embedder or the database that does not work.
        """
        collections = self.collections.list()
        self.search.warm(c for c in collections if c.passages)
        self.matcher.warm(c for c in collections if c.faq_entries)

    def close(self) -> None:
        """End what still runs and let go of files."""
        for close in self._closers:
            close()


def assemble(
    settings: Settings,
    database: Database,
    server_id: str,
    *,
    closes_database: bool = False,
) -> Knowledge:
    """Join the parts around an open database.

    Args:
        closes_database: whether ``Knowledge.close`` closes it too.
    """
    collections, documents = Collections(database), Documents(database)
    embedders = Succession(settings.embedder, documents, settings.data)
    faqs, files = Faqs(database), IngestFiles(database, server_id)
    search = Search(documents, embedders.answering, settings.data, settings.reranker)
    # Sixteen languages in 32 MB leave it behind in English, where most short questions are asked.
    english = MiniLm() if settings.embedder == "bundled" else None
    matcher = FaqMatcher(faqs, embedders.answering, VectorTexts(database), english)
    reader = Reader()
    preparation = Preparation(reader, embedders.current)
    most = settings.max_upload_mb * 2**20
    ingest = Ingest(collections, documents, files, preparation, settings.data, most)
    closers = [search.close, reader.close]
    if closes_database:
        closers.append(database.close)
    return Knowledge(
        collections=collections,
        documents=documents,
        faqs=faqs,
        files=files,
        unanswered=UnansweredQuestions(database),
        embedder=embedders.answering,
        search=search,
        matcher=matcher,
        router=Router(search, matcher),
        ingest=ingest,
        folder=settings.data,
        _closers=closers,
    )
