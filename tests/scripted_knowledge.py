"""Knowledge that was told what to find and what to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chatapp.knowledge_records import Collection, FaqEntry, FaqMatch, Found, Hit, Passage, Route
from chatapp.records import ChatMessage


def passage(document: str, text: str = "text", title: str = "") -> Passage:
    return Passage(
        id=1,
        document_id=document,
        document=document,
        title=title,
        kind="text",
        position=0,
        text=text,
        heading=("Returns",),
        page=None,
        start=0,
        end=len(text),
        language="en",
    )


def hit(document: str, relevance: float = 0.9, text: str = "text", title: str = "") -> Hit:
    return Hit(passage=passage(document, text, title), dense=0.5, lexical=1.0, relevance=relevance)


def entry(answer: str, question: str = "How?") -> FaqEntry:
    return FaqEntry(
        id=answer,
        collection_id="public",
        questions=(question,),
        answer=answer,
        language="en",
        tags=(),
        updated_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


def match(answer: str, confidence: float = 0.9, threshold: float = 0.5) -> FaqMatch:
    return FaqMatch(
        entry=entry(answer),
        question="How?",
        exact=False,
        confidence=confidence,
        runner_up=0.0,
        threshold=threshold,
        accepted=confidence >= threshold,
    )


@dataclass(frozen=True)
class Decision:
    route: Route
    faq: FaqMatch | None = None
    found: Found | None = None


class FoundByQuestion:
    """Search and FAQ at once: what a question finds is written down for it."""

    def __init__(self) -> None:
        self.hits: dict[str, list[Hit]] = {}
        self.matches: dict[str, FaqMatch] = {}

    def search(self, collection: Collection, query: str, *, k: int = 8) -> Found:
        threshold = 0.4 if collection.threshold is None else collection.threshold
        hits = tuple(
            one if one.relevance >= threshold else replace(one, dropped="weak")
            for one in self.hits.get(query, [])[:k]
        )
        return Found(
            query=query, hits=hits, threshold=threshold, index_version="1", embedder="fake"
        )

    def match(self, collection: Collection, question: str) -> FaqMatch | None:
        found = self.matches.get(question)
        if found is None:
            return None
        threshold = 0.5 if collection.faq_threshold is None else collection.faq_threshold
        return replace(found, threshold=threshold, accepted=found.confidence >= threshold)

    def is_empty(self, collection: Collection) -> bool:
        return not self.hits


class Scripted:
    """A router that was told what to decide."""

    def __init__(self, **decisions: Decision) -> None:
        self._decisions = decisions

    def decide(
        self, question: str, history: Sequence[ChatMessage], collection: Collection
    ) -> Decision:
        assert not history
        return self._decisions[question]


def found(*hits: Hit) -> Found:
    return Found(query="", hits=hits, threshold=0.4, index_version="1", embedder="fake")
