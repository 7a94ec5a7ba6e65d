"""Vectors as bytes: those of passages, and the cache of those of short texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, insert, select

from chatapp.knowledge_records import Vectors
from chatapp.store.columns import harmless
from chatapp.store.database import Database
from chatapp.store.knowledge_tables import VectorTextRow

CHUNK = 2_000
"""Rows asked for by their keys at once; drivers take some tens of thousands of parameters."""


def packed(vectors: Vectors) -> list[bytes]:
    """One text of bytes for each row, as float16: half the size, and the cosine of two unit
    vectors keeps three digits behind the point."""
    return [row.tobytes() for row in np.asarray(vectors, np.float32).astype("<f2")]


def unpacked(rows: Sequence[bytes]) -> Vectors:
    """What was packed, shape (rows, dimension)."""
    flat = np.frombuffer(b"".join(rows), "<f2").astype(np.float32)
    return flat.reshape(len(rows), -1)


class VectorTexts:
    """Vectors of short texts, which are asked for again at every start."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, npt.NDArray[np.float32]]:
        """Those that are known, by text, as exact as they were put."""
        wanted = {_digest(embedder, text): text for text in texts}
        digests = list(wanted)
        found: dict[str, npt.NDArray[np.float32]] = {}
        columns = select(VectorTextRow.digest, VectorTextRow.vector)
        with self._db.read() as session:
            for start in range(0, len(digests), CHUNK):
                some = VectorTextRow.digest.in_(digests[start : start + CHUNK])
                for digest, vector in session.execute(columns.where(some)):
                    found[wanted[digest]] = np.frombuffer(vector, "<f4").astype(np.float32)
        return found

    def put(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep them; ``vectors`` has one row for each text."""
        exact = np.asarray(vectors).astype("<f4")
        rows = {
            _digest(embedder, text): row.tobytes() for text, row in zip(texts, exact, strict=True)
        }
        digests = list(rows)
        with self._db.write() as session:
            for start in range(0, len(digests), CHUNK):
                some = digests[start : start + CHUNK]
                session.execute(delete(VectorTextRow).where(VectorTextRow.digest.in_(some)))
                session.execute(
                    insert(VectorTextRow),
                    [{"digest": digest, "vector": rows[digest]} for digest in some],
                )


def _digest(embedder: str, text: str) -> bytes:
    return hashlib.sha256(harmless(f"{embedder}\n{text}").encode()).digest()
