"""LangChain's FAISS and BM25 under its EnsembleRetriever, with its defaults.

Runs in ``benchmarks/.venv`` and imports nothing of the app: ``python langchain_peer.py FOLDER``,
where FOLDER holds ``vectors.npy``, ``texts.txt``, ``queries.npy`` and ``queries.json``. Prints
one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from langchain_classic.retrievers import EnsembleRetriever  # noqa: E402
from langchain_community.retrievers import BM25Retriever  # noqa: E402
from langchain_community.vectorstores import FAISS  # noqa: E402
from langchain_core.embeddings import Embeddings  # noqa: E402


class Given(Embeddings):
    """Query vectors that are known already."""

    def __init__(self) -> None:
        self.next: list[float] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Not asked for."""
        raise NotImplementedError

    def embed_query(self, text: str) -> list[float]:  # noqa: ARG002
        """The one that was set."""
        return self.next


def main(folder: Path) -> None:
    """Build and search."""
    texts = (folder / "texts.txt").read_text().split("\n")
    vectors = np.load(folder / "vectors.npy")
    before = psutil.Process().memory_info().rss
    given = Given()
    start = time.perf_counter()
    numbered = [{"number": number} for number in range(len(texts))]
    pairs = list(zip(texts, vectors, strict=True))
    store = FAISS.from_embeddings(pairs, given, metadatas=numbered)
    words = BM25Retriever.from_texts(texts, metadatas=numbered, k=50)
    retriever = EnsembleRetriever(
        retrievers=[words, store.as_retriever(search_kwargs={"k": 50})], weights=[0.5, 0.5]
    )
    build = time.perf_counter() - start
    memory = psutil.Process().memory_info().rss - before
    seconds, found = [], 0
    queries = np.load(folder / "queries.npy")
    asked = json.loads((folder / "queries.json").read_text())
    for vector, (text, passage) in zip(queries, asked, strict=True):
        given.next = vector.tolist()
        start = time.perf_counter()
        hits = retriever.invoke(text)[:5]
        seconds.append(time.perf_counter() - start)
        found += passage in {hit.metadata["number"] for hit in hits}
    p50, p95 = (float(value) for value in np.percentile(seconds, [50, 95]) * 1000)
    row = {
        "contender": "langchain",
        "passages": len(texts),
        "index": "flat",
        "build": build,
        "p50": p50,
        "p95": p95,
        "start": None,
        "recall": 1.0,
        "found": found / len(asked),
        "mib": memory / 2**20,
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
