"""The lower floors, as the Knowledge page needs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatapp.flows.drafting import Draft
from chatapp.flows.routing import Decision, Searches
from chatapp.knowledge.base import Embedder
from chatapp.knowledge_records import Collection
from chatapp.records import ChatMessage
from chatapp.store import Collections, Documents, Faqs, IngestFiles, UnansweredQuestions


class Intake(Protocol):
    """Takes documents in; ``flows.ingest.Ingest`` is one."""

    def add_text(self, collection_id: str, title: str, text: str) -> str:
        """Queue a pasted text; returns its batch."""
        ...

    def stop(self, batch_id: str) -> None:
        """Take back what is unfinished of a batch."""
        ...


class Decides(Protocol):
    """Decides where an answer comes from; ``flows.routing.Router`` does."""

    def decide(
        self, question: str, history: Sequence[ChatMessage], collection: Collection
    ) -> Decision:
        """The very decision the chat would make. Blocking."""
        ...


@dataclass(frozen=True, slots=True)
class StaffRooms:
    """What the page works with.

    Attributes:
        draft: turns questions that could not be answered into an entry for approval.
        load_demo: takes the demo knowledge into the collection of that name.
        answering: names of the collections that a persona answers from.
        thresholds: the built-in ones, of documents and of the FAQ.
        max_bytes: the largest file that is taken in.
    """

    collections: Collections
    documents: Documents
    faqs: Faqs
    files: IngestFiles
    unanswered: UnansweredQuestions
    ingest: Intake
    router: Decides
    search: Searches
    embedder: Callable[[], Embedder]
    draft: Callable[[Collection, Sequence[str]], Awaitable[Draft]]
    load_demo: Callable[[str], object]
    answering: Callable[[], frozenset[str]]
    thresholds: tuple[float, float]
    max_bytes: int
    has_password: bool
