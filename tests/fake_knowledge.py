"""Knowledge in memory: an embedder that needs no model, and passages that need no database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from chatapp.knowledge.base import Embedder, PassageBatch, PassageIds, index_text
from chatapp.knowledge_records import Collection, Passage, Vectors

_WORD = re.compile(r"[㐀-鿿぀-ヿ가-힯]|[^\W㐀-鿿぀-ヿ가-힯]+")


def a_collection(name: str = "public", **changes: object) -> Collection:
    """A collection whose id is its name."""
    facts = {"id": name, "name": name, "created_at": datetime(2025, 1, 1, tzinfo=UTC)} | changes
    return Collection(**facts)  # type: ignore[arg-type]


class FakeEmbedder:
    """A hashed bag of words: texts that share words are near, and nothing else is.

    ``read`` counts the texts that were embedded, so that a test can see what was not.
    """

    def __init__(self, name: str = "fake", dimension: int = 64, max_tokens: int = 256) -> None:
        self.name = name
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.read = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.read += len(texts)
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in words(text):
                digest = hashlib.blake2b(f"{self.name} {word}".encode(), digest_size=8).digest()
                row[digest[0] % self.dimension] += 1 if digest[1] & 1 else -1
            if not row.any():
                row[0] = 1
            row /= np.linalg.norm(row)
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed(texts)

    def count_tokens(self, text: str) -> int:
        return len(words(text))


def words(text: str) -> list[str]:
    """Lower-cased words; each Chinese, Japanese or Korean character is one."""
    return _WORD.findall(text.lower())


@dataclass
class _Row:
    passage: Passage
    collection_id: str
    tags: tuple[str, ...]
    added: int
    removed: int | None = None
    vectors: dict[str, tuple[int, Vectors]] = field(default_factory=dict)
    """By embedder: the revision at which it came, and the vector."""


class FakePassages:
    """A PassageSource in memory.

    Passages are added with vectors of ``embedder``; with None they wait for ``add_vectors``.
    """

    def __init__(self, embedder: Embedder | None = None) -> None:
        self.embedder = embedder
        self.batch = 3
        self._rows: dict[int, _Row] = {}
        self._revisions: dict[str, int] = {}

    def add(
        self,
        collection: str,
        document: str,
        *texts: str,
        title: str = "",
        heading: tuple[str, ...] = (),
        language: str = "en",
        tags: tuple[str, ...] = (),
    ) -> list[int]:
        """Add a document with one passage for each text; its id is its name. Returns their ids."""
        revision = self._raise(collection)
        start, ids = 0, []
        for position, text in enumerate(texts):
            passage = Passage(
                id=len(self._rows) + 1,
                document_id=document,
                document=document,
                title=title,
                kind="text",
                position=position,
                text=text,
                heading=heading,
                page=None,
                start=start,
                end=start + len(text),
                language=language,
            )
            start += len(text) + 1
            row = _Row(passage, collection, tags, revision)
            if self.embedder is not None:
                vector = self.embedder.embed([index_text(passage)])[0]
                row.vectors[self.embedder.name] = (revision, vector)
            self._rows[passage.id] = row
            ids.append(passage.id)
        return ids

    def remove(self, *ids: int) -> None:
        """Delete passages, which leaves tombstones."""
        for collection in {self._rows[one].collection_id for one in ids}:
            self._raise(collection)
        for one in ids:
            row = self._rows[one]
            row.removed = self._revisions[row.collection_id]

    def revision(self, collection_id: str) -> int:
        return self._revisions.get(collection_id, 0)

    def removed_since(self, collection_id: str, revision: int) -> Sequence[int]:
        return [
            row.passage.id
            for row in self._rows.values()
            if row.collection_id == collection_id
            and row.removed is not None
            and row.removed > revision
        ]

    def added_since(
        self, collection_id: str, embedder: str, revision: int
    ) -> Iterator[PassageBatch]:
        found = [
            row
            for row in self._rows.values()
            if row.collection_id == collection_id
            and row.removed is None
            and embedder in row.vectors
            and row.vectors[embedder][0] > revision
        ]
        for start in range(0, len(found), self.batch):
            rows = found[start : start + self.batch]
            yield PassageBatch(
                tuple(row.passage for row in rows),
                np.stack([row.vectors[embedder][1] for row in rows]),
            )

    def fetch(self, ids: Sequence[int]) -> Mapping[int, Passage]:
        return {one: self._rows[one].passage for one in ids if self._exists(one)}

    def select(
        self, collection_id: str, *, language: str | None = None, tag: str | None = None
    ) -> PassageIds:
        chosen = [
            row.passage.id
            for row in self._rows.values()
            if row.collection_id == collection_id
            and row.removed is None
            and (language is None or row.passage.language == language)
            and (tag is None or tag in row.tags)
        ]
        return np.array(sorted(chosen), np.int64)

    def without_vectors(self, embedder: str, limit: int) -> Sequence[Passage]:
        waiting = [
            row.passage
            for row in self._rows.values()
            if row.removed is None and embedder not in row.vectors
        ]
        return waiting[:limit]

    def add_vectors(self, embedder: str, ids: Sequence[int], vectors: Vectors) -> None:
        present = [place for place, one in enumerate(ids) if self._exists(one)]
        for collection in {self._rows[ids[place]].collection_id for place in present}:
            self._raise(collection)
        for place in present:
            row = self._rows[ids[place]]
            row.vectors[embedder] = (self._revisions[row.collection_id], vectors[place])

    def _raise(self, collection: str) -> int:
        self._revisions[collection] = self.revision(collection) + 1
        return self._revisions[collection]

    def _exists(self, passage_id: int) -> bool:
        return passage_id in self._rows and self._rows[passage_id].removed is None
