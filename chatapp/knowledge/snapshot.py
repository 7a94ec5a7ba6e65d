"""A collection's passages as they are searched: one moment of them, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.base import PassageBatch, index_text
from chatapp.knowledge.dense import DenseIndex
from chatapp.knowledge.lexical import LexicalIndex
from chatapp.knowledge_records import Passage

_LANGUAGE = "S3"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Passages by row. It never changes; changes make another.

    Attributes:
        revision: of the collection that this covers.
        ids: shape (rows,): of the passages.
        documents: shape (rows,): a number for the document of each; passages that follow each
            other in the same document have the same one.
        languages: shape (rows,): of the passages, ISO 639-1 in ASCII; empty if unknown.
        alive: shape (rows,): False for those that were removed.
    """

    revision: int
    ids: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int32]
    languages: npt.NDArray[np.bytes_]
    alive: npt.NDArray[np.bool_]
    dense: DenseIndex
    lexical: LexicalIndex

    @classmethod
    def empty(cls, dimension: int) -> Snapshot:
        """Before anything was read."""
        return cls(
            0,
            np.zeros(0, np.int64),
            np.zeros(0, np.int32),
            np.zeros(0, _LANGUAGE),
            np.zeros(0, np.bool_),
            DenseIndex.empty(dimension),
            LexicalIndex(),
        )

    def __len__(self) -> int:
        return int(self.alive.sum())

    @property
    def dead(self) -> int:
        """Rows of removed passages."""
        return len(self.alive) - len(self)

    def without(self, ids: Sequence[int]) -> Snapshot:
        """These passages are gone; unknown ones are passed over."""
        if not len(ids):
            return self
        return replace(self, alive=self.alive & ~np.isin(self.ids, np.asarray(ids, np.int64)))

    def added(self, batch: PassageBatch) -> Snapshot:
        """These passages as well; those that are there already are passed over."""
        known = set(self.ids[self.alive].tolist())
        new = [place for place, one in enumerate(batch.passages) if one.id not in known]
        if not new:
            return self
        passages = [batch.passages[place] for place in new]
        return replace(
            self,
            ids=np.concatenate([self.ids, np.array([one.id for one in passages], np.int64)]),
            documents=np.concatenate([self.documents, self._numbers(passages)]),
            languages=np.concatenate(
                [self.languages, np.array([one.language for one in passages], _LANGUAGE)]
            ),
            alive=np.concatenate([self.alive, np.ones(len(new), np.bool_)]),
            dense=self.dense.added(batch.vectors[new]),
            lexical=self.lexical.added([(index_text(one), one.language) for one in passages]),
        )

    def _numbers(self, passages: Sequence[Passage]) -> npt.NDArray[np.int32]:
        """The next numbers of documents. One that is read in two batches has two."""
        first = int(self.documents[-1]) + 1 if len(self.documents) else 0
        names = [one.document_id for one in passages]
        changes = [before != after for before, after in pairwise(names)]
        return first + np.cumsum([False, *changes], dtype=np.int32)

    def sealed(self) -> Snapshot:
        """The same without the removed rows, and with every vector in the FAISS index."""
        rows = np.flatnonzero(self.alive)
        lexical = self.lexical.kept(rows) if self.dead else self.lexical
        return Snapshot(
            self.revision,
            self.ids[rows],
            self.documents[rows],
            self.languages[rows],
            np.ones(len(rows), np.bool_),
            self.dense.kept(rows),
            lexical,
        )

    def among(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which rows hold one of these passages, shape (rows,); removed rows do not."""
        return self.alive & np.isin(self.ids, ids)
