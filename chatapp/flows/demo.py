"""The demo: a small outdoor shop's documents and FAQ, loaded as anybody's would be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from chatapp.flows.uploads import Upload
from chatapp.knowledge.faq_tables import read_faqs
from chatapp.knowledge_records import Collection, ImportCount, NewFaq

FOLDER = Path(__file__).parents[1] / "demo"
FAQ = FOLDER / "faq.csv"
DOCUMENTS = FOLDER / "documents"
QUESTIONS = FOLDER / "questions.jsonl"
"""Sixty questions to measure with, twenty of them out of scope: JSONL for ``evaluate``."""

NAME = "northpine"
"""Stands before the documents' names, so that they replace nobody's own."""


class TakesDocuments(Protocol):
    """What reads documents in the background."""

    def add(self, collection_id: str, uploads: Sequence[Upload], tags: tuple[str, ...] = ()) -> str:
        """Queue files; returns the batch's id."""
        ...


class TakesQuestions(Protocol):
    """What keeps FAQ entries."""

    def import_rows(self, collection_id: str, rows: Sequence[NewFaq]) -> ImportCount:
        """Keep a whole table of questions."""
        ...


class HasCollections(Protocol):
    """What keeps collections."""

    def ensure(self, name: str) -> Collection:
        """The collection of that name, made if it is missing."""
        ...


class Demo:
    """Loads the demo into a collection; a second time changes nothing."""

    def __init__(
        self, ingest: TakesDocuments, faqs: TakesQuestions, collections: HasCollections
    ) -> None:
        self._ingest = ingest
        self._faqs = faqs
        self._collections = collections

    def load(self, collection_name: str = "public") -> str:
        """Take in the FAQ at once and queue the documents. Blocking.

        Returns:
            The id of the documents' batch.

        Raises:
            StorageError: the database or the disk refused.
        """
        collection = self._collections.ensure(collection_name)
        self._faqs.import_rows(collection.id, read_faqs(FAQ))
        return self._ingest.add(collection.id, uploads(), tags=(NAME,))


def uploads() -> list[Upload]:
    """The demo's documents."""
    files = sorted(path for path in DOCUMENTS.rglob("*") if path.is_file())
    return [Upload(f"{NAME}/{path.relative_to(DOCUMENTS).as_posix()}", path) for path in files]
