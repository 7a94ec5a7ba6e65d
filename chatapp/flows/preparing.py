"""A kept file becomes documents that are ready to be stored: read, split and embedded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from chatapp.errors import DocumentError
from chatapp.flows.originals import hash_of
from chatapp.knowledge.base import Embedder, heading_path
from chatapp.knowledge.embedding.passages import embed_passages
from chatapp.knowledge.languages import language_of
from chatapp.knowledge.splitting import split
from chatapp.knowledge_records import IngestFile, LoadedDocument, NewDocument, NewPassage, Vectors

Progress = Callable[[int, int], None]
"""Hears how much is done, and of how much, 0 if unknown. What it raises ends the work."""

Steps = Callable[[str, int, int], None]
"""The same with the name of the step in front."""

Split = Callable[[LoadedDocument, Callable[[str], int], int], Sequence[NewPassage]]

LONGEST_PASSAGE = 200
"""Tokens, as the embedder counts them, or fewer where it reads fewer."""

_GROUP = 200
_GROUP_LENGTH = 500_000
_BATCH = 32


class DocumentReader(Protocol):
    """What reads files; ``knowledge.reading.Reader`` is one."""

    def read(self, path: Path, name: str, progress: Progress) -> Iterator[LoadedDocument]:
        """The documents in a file; raises DocumentError."""
        ...

    def close(self) -> None:
        """End what is being read."""
        ...


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document as it was read; the attributes are those of ``Document``."""

    loaded: LoadedDocument
    content_hash: str
    size: int
    file: str | None


class Preparation:
    """Reads, splits and embeds.

    Args:
        reader: of files of every format.
        embedder: asked for the embedder each time, as it may change.
        split: a document into passages of so many tokens.
        language_of: names the language of a text.
    """

    def __init__(
        self,
        reader: DocumentReader,
        embedder: Callable[[], Embedder],
        split: Split = split,
        language_of: Callable[[str], str] = language_of,
    ) -> None:
        self._reader = reader
        self._split = split
        self._language_of = language_of
        self.embedder = embedder

    def groups(
        self, file: IngestFile, path: Path, progress: Progress
    ) -> Iterator[Sequence[ReadDocument]]:
        """The documents of a file.

        A file is one document, or has one in each of its rows; these come some hundreds at a
        time, named by their own ids and hashed by their own content.

        Raises:
            DocumentError: the file cannot be read; what came before is good.
        """
        group: list[ReadDocument] = []
        length = 0
        try:
            for loaded in self._reader.read(path, file.name, progress):
                group.append(_as_read(loaded, file))
                length += len(loaded.text)
                if len(group) == _GROUP or length > _GROUP_LENGTH:
                    yield group
                    group, length = [], 0
        except DocumentError:
            if group:
                yield group
            raise
        if group:
            yield group

    def ready(
        self, documents: Sequence[ReadDocument], steps: Steps
    ) -> tuple[str, Sequence[NewDocument]]:
        """Split and embed.

        Returns:
            The embedder's name, and the documents with vectors of it.

        Raises:
            DocumentError: there is nothing in one of them.
            ModelError: there is no embedder.
        """
        embedder = self.embedder()
        tokens = min(LONGEST_PASSAGE, embedder.max_tokens)
        passages: list[Sequence[NewPassage]] = []
        texts: list[tuple[str, str]] = []
        for done, one in enumerate(documents):
            steps("split", done, len(documents))
            found = self._split(one.loaded, embedder.count_tokens, tokens)
            if not found:
                raise DocumentError(f"{one.loaded.name} holds no text that could be read.")
            texts += ((heading_path(one.loaded.title, new.heading), new.text) for new in found)
            passages.append(found)
        vectors = embed(embedder, texts, lambda done, total: steps("embed", done, total))
        return embedder.name, self._joined(documents, passages, vectors)

    def interrupt(self) -> None:
        """Make a reading that is under way fail."""
        self._reader.close()

    def _joined(
        self,
        documents: Sequence[ReadDocument],
        passages: Sequence[Sequence[NewPassage]],
        vectors: Vectors,
    ) -> Sequence[NewDocument]:
        joined: list[NewDocument] = []
        start = 0
        for one, theirs in zip(documents, passages, strict=True):
            end = start + len(theirs)
            joined.append(
                NewDocument(
                    loaded=one.loaded,
                    content_hash=one.content_hash,
                    size=one.size,
                    language=self._language_of(one.loaded.text),
                    passages=theirs,
                    vectors=vectors[start:end],
                    file=one.file,
                )
            )
            start = end
        return joined


def embed(embedder: Embedder, texts: Sequence[tuple[str, str]], progress: Progress) -> Vectors:
    """Vectors of passages as ``embed_passages`` makes them, with progress every few dozen."""
    parts = [np.zeros((0, embedder.dimension), np.float32)]
    for start in range(0, len(texts), _BATCH):
        progress(start, len(texts))
        parts.append(embed_passages(embedder, texts[start : start + _BATCH]))
    return np.concatenate(parts)


def _as_read(loaded: LoadedDocument, file: IngestFile) -> ReadDocument:
    tags = (*file.tags, *loaded.tags)
    if loaded.kind == "row":
        content = json.dumps([loaded.title, loaded.text, loaded.tags])
        return ReadDocument(
            replace(loaded, tags=tags),
            hashlib.sha256(content.encode()).hexdigest(),
            len(loaded.text.encode("utf-8", "replace")),
            None,
        )
    return ReadDocument(
        replace(loaded, tags=tags, name=file.name), hash_of(file.file), file.size, file.file
    )
