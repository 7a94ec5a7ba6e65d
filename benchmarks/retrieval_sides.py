"""The app's search on made-up passages: all of it, and its vectors alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil

from benchmarks.corpus import DIMENSION, Corpus, Query, Vectors
from benchmarks.retrieval_report import SearchRow
from chatapp.knowledge.dense import DenseIndex
from chatapp.knowledge.embedding import make_embedder
from chatapp.knowledge.embedding.passages import embed_passages
from chatapp.knowledge.search import Search
from chatapp.knowledge_records import Collection, Passage, PassageBatch, PassageIds

_PUBLIC = Collection(id="public", name="public", created_at=datetime.now(UTC))
_TITLE = "A made-up handbook"

T = TypeVar("T")


class MadeUpPassages:
    """A source whose passages are made when they are asked for."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def revision(self, collection_id: str) -> int:  # noqa: ARG002
        """Nothing ever changes."""
        return 1

    def removed_since(self, collection_id: str, revision: int) -> Sequence[int]:  # noqa: ARG002
        """None."""
        return ()

    def added_since(
        self,
        collection_id: str,  # noqa: ARG002
        embedder: str,  # noqa: ARG002
        revision: int,
    ) -> Iterator[PassageBatch]:
        """All of them, once."""
        if revision:
            return
        first = 0
        for vectors in self._corpus.vectors():
            numbers = range(first, first + len(vectors))
            yield PassageBatch(tuple(map(self._passage, numbers)), vectors)
            first += len(vectors)

    def fetch(self, ids: Sequence[int]) -> Mapping[int, Passage]:
        """All that are asked for."""
        return {one: self._passage(one) for one in ids}

    def select(
        self, collection_id: str, *, language: str | None = None, tag: str | None = None
    ) -> PassageIds:
        """Not measured."""
        raise NotImplementedError

    def without_vectors(self, embedder: str, limit: int) -> Sequence[Passage]:  # noqa: ARG002
        """None."""
        return ()

    def add_vectors(self, embedder: str, ids: Sequence[int], vectors: Vectors) -> None:
        """Not measured."""
        raise NotImplementedError

    def _passage(self, number: int) -> Passage:
        text = self._corpus.text(number)
        return Passage(
            id=number,
            document_id=f"{number // 20}",
            document=f"{number // 20}.md",
            title=_TITLE,
            kind="markdown",
            position=number % 20,
            text=text,
            heading=(),
            page=None,
            start=0,
            end=len(text),
            language="en",
        )


class TimedEmbedder:
    """Reads a query as the bundled embedder does, and answers with the vector it was told."""

    name = "made-up"
    dimension = DIMENSION
    max_tokens = 256

    def __init__(self) -> None:
        self._real = make_embedder("bundled")
        self.next: Vectors = np.zeros(DIMENSION, np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages are made up as well; this is not asked for."""
        raise NotImplementedError

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One query's."""
        self._real.embed_queries(texts)
        return self.next[None]

    def count_tokens(self, text: str) -> int:
        """As the real one."""
        return self._real.count_tokens(text)


def ingest_rate(passages: int) -> float:
    """Passages of about 200 tokens that are turned into vectors a second."""
    embedder, corpus = make_embedder("bundled"), Corpus(passages)
    embedder.embed(["warm"])
    texts = [(_TITLE, corpus.text(number)) for number in range(passages)]
    start = time.perf_counter()
    embed_passages(embedder, texts)
    return passages / (time.perf_counter() - start)


def whole_side(size: int, count: int) -> SearchRow:
    """Build, save, start anew, and search: words and vectors, the query's embedding included."""
    corpus, embedder = Corpus(size), TimedEmbedder()
    embedder.embed_queries(["warm"])
    queries = corpus.queries(count)
    with tempfile.TemporaryDirectory() as folder:

        def opened() -> Search:
            return Search(MadeUpPassages(corpus), lambda: embedder, Path(folder))

        start = time.perf_counter()
        search = opened()
        search.warm([_PUBLIC])
        search.close()
        build = time.perf_counter() - start
        del search
        before = _memory()
        search = opened()
        start = time.perf_counter()
        search.warm([_PUBLIC])
        started = time.perf_counter() - start

        def ask(query: Query) -> bool:
            embedder.next = query.vector
            hits = search.search(_PUBLIC, query.text, k=5).hits[:5]
            return query.passage in {hit.passage.id for hit in hits}

        seconds, found = _timed(ask, queries)
        memory = _memory() - before
        index = search._snapshot("public", embedder).dense
        recall = _recall(index, corpus, queries[:50])
        search.close()
    return _row(size, index.kind, build, seconds, started, recall, sum(found) / count, memory)


def dense_side(size: int, count: int) -> SearchRow:
    """The vectors alone."""
    corpus = Corpus(size)
    queries = corpus.queries(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.faiss"
        start = time.perf_counter()
        index = DenseIndex.empty(DIMENSION)
        for part in corpus.vectors():
            index = index.added(part)
        index.kept(np.arange(size)).save_sealed(path)
        build = time.perf_counter() - start
        before = _memory()
        del index
        start = time.perf_counter()
        loaded = DenseIndex.load(path)
        everything = np.ones(size, np.bool_)
        loaded.search(queries[0].vector, 10, everything)
        started = time.perf_counter() - start
        before = _memory()
        seconds, _ = _timed(lambda query: loaded.search(query.vector, 100, everything), queries)
        memory = _memory() - before
        recall = _recall(loaded, corpus, queries[:50])
    return _row(size, loaded.kind, build, seconds, started, recall, None, memory)


def _timed(ask: Callable[[Query], T], queries: Sequence[Query]) -> tuple[list[float], list[T]]:
    seconds, answers = [], []
    for query in queries:
        start = time.perf_counter()
        answers.append(ask(query))
        seconds.append(time.perf_counter() - start)
    return seconds, answers


def _recall(index: DenseIndex, corpus: Corpus, queries: Sequence[Query]) -> float:
    """Of the ten nearest the share that is among the hundred candidates a search looks at."""
    wanted = np.stack([query.vector for query in queries])
    best = np.full((len(queries), 10), -2, np.float32)
    names = np.zeros((len(queries), 10), np.int64)
    first = 0
    for part in corpus.vectors():
        scores = np.concatenate([best, wanted @ part.T], axis=1)
        numbers = np.broadcast_to(np.arange(first, first + len(part)), (len(queries), len(part)))
        numbers = np.concatenate([names, numbers], axis=1)
        order = np.argsort(-scores, axis=1)[:, :10]
        best = np.take_along_axis(scores, order, axis=1)
        names = np.take_along_axis(numbers, order, axis=1)
        first += len(part)
    everything = np.ones(len(index), np.bool_)
    named = [set(index.search(query.vector, 100, everything)[0]) for query in queries]
    return float(np.mean([len(set(a) & b) / 10 for a, b in zip(names, named, strict=True)]))


def _row(
    size: int,
    index: str,
    build: float,
    seconds: Sequence[float],
    started: float,
    recall: float,
    found: float | None,
    memory: float,
) -> SearchRow:
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    return SearchRow(
        contender="chatapp" if found is not None else "chatapp FAISS",
        passages=size,
        index=index,
        build=build,
        p50=float(p50),
        p95=float(p95),
        start=started,
        recall=recall,
        found=found,
        mib=memory / 2**20,
    )


def _memory() -> int:
    return int(psutil.Process().memory_info().rss)
