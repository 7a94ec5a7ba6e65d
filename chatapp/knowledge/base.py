"""What the rooms of knowledge ask of each other, and of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chatapp.knowledge_records import FaqEntry, Passage, PassageBatch, PassageIds, Vectors

__all__ = [
    "Embedder",
    "FaqSource",
    "PassageBatch",
    "PassageIds",
    "PassageSource",
    "VectorCache",
    "heading_path",
    "index_text",
]


class Embedder(Protocol):
    """Turns texts into vectors. Blocking; any thread may call it."""

    @property
    def name(self) -> str:
        """Names the model and its version: vectors of one name can be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """What follows them in a text is not read."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages or FAQ questions, shape (texts, dimension), each of length 1."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The same for what is searched: some models tell the two apart."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens as this model counts them."""
        ...


class PassageSource(Protocol):
    """The passages in the database, which is the truth; an index is only a cache of it.

    Every change to a collection's passages raises its revision by one, in the same transaction.
    """

    def revision(self, collection_id: str) -> int:
        """Now. One cheap query: it is asked before every search."""
        ...

    def removed_since(self, collection_id: str, revision: int) -> Sequence[int]:
        """Ids of the passages that were removed after that revision."""
        ...

    def added_since(
        self, collection_id: str, embedder: str, revision: int
    ) -> Iterator[PassageBatch]:
        """Passages added after that revision that still exist and have a vector of this embedder,
        by id, a few thousand at a time."""
        ...

    def fetch(self, ids: Sequence[int]) -> Mapping[int, Passage]:
        """Those of these passages that still exist."""
        ...

    def select(
        self, collection_id: str, *, language: str | None = None, tag: str | None = None
    ) -> PassageIds:
        """Ids of the passages in that language and of documents with that tag, ascending."""
        ...

    def without_vectors(self, embedder: str, limit: int) -> Sequence[Passage]:
        """Passages of every collection that this embedder has not read yet, oldest first."""
        ...

    def add_vectors(self, embedder: str, ids: Sequence[int], vectors: Vectors) -> None:
        """Keep vectors. Raises the revision of the collections they belong to."""
        ...


class FaqSource(Protocol):
    """The FAQ entries in the database."""

    def revision(self, collection_id: str) -> int:
        """Raised by every change to a collection's entries. One cheap query."""
        ...

    def entries(self, collection_id: str) -> Sequence[FaqEntry]:
        """All of them, oldest first."""
        ...


class VectorCache(Protocol):
    """Vectors of short texts that are asked for again at every start."""

    def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, npt.NDArray[np.float32]]:
        """Those that are known, by text."""
        ...

    def put(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep them."""
        ...


def heading_path(title: str, heading: Sequence[str]) -> str:
    """A document's title and the headings above a passage, each once, outermost first."""
    parts = (part.strip() for part in (title, *heading))
    return " › ".join(dict.fromkeys(part for part in parts if part))


def index_text(passage: Passage) -> str:
    """What is matched of a passage: its title and headings help to find it."""
    path = heading_path(passage.title, passage.heading)
    return f"{path}\n{passage.text}" if path else passage.text
