"""Where an answer comes from: the FAQ, the documents, the persona alone, or nowhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from chatapp.knowledge.followups import standalone
from chatapp.knowledge.languages import language_of
from chatapp.knowledge.smalltalk import is_small_talk
from chatapp.knowledge_records import Collection, FaqMatch, Found, Hit, Route
from chatapp.phrases import Reason, reason
from chatapp.records import ChatMessage

_READ: Final = 2_000
"""Characters of a question that are searched for."""

_SURE: Final = 0.8
"""Confidence of an FAQ match from which on no passage is looked at."""

_BETTER: Final = 0.15
"""How much more relevant a passage must be than a less sure FAQ match is confident, to win: an
answer that people approved is worth more than one that a program puts together."""


class Searches(Protocol):
    """Finds passages; ``knowledge.search.Search`` is one."""

    def search(self, collection: Collection, query: str, *, k: int = 8) -> Found:
        """The passages nearest to a query, those to be used and those dropped."""
        ...

    def is_empty(self, collection: Collection) -> bool:
        """Whether there is nothing to search."""
        ...


class MatchesFaq(Protocol):
    """Finds FAQ entries; ``knowledge.faq.FaqMatcher`` is one."""

    def match(self, collection: Collection, question: str) -> FaqMatch | None:
        """The nearest entry, accepted or not; None without entries. Fast for a question that is
        one of theirs word for word."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The way of one question, and what was found on it.

    Attributes:
        route: ``faq``, ``sources``, ``refused`` or ``persona``.
        reason: for a reader, in Chinese for Chinese and else in English.
        query: the question as it was searched, after what the conversation adds to it.
        faq: the nearest entry, accepted or not; None without entries.
        found: None when nothing was searched.
        timings: milliseconds by step.
    """

    route: Route
    reason: str
    question: str
    query: str
    language: str
    collection: Collection
    faq: FaqMatch | None = None
    found: Found | None = None
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The passages an answer may lean on."""
        return self.found.kept if self.found else ()


class Router:
    """Decides the route of questions. Blocking; any thread may call it.

    An FAQ entry that is the question word for word wins; then one that means the same, unless a
    passage fits much better; then small talk, which the persona answers by itself; then passages
    that are relevant enough. What is left is refused.
    """

    def __init__(self, search: Searches, faqs: MatchesFaq) -> None:
        self._search = search
        self._faqs = faqs

    def decide(
        self, question: str, history: Sequence[ChatMessage], collection: Collection
    ) -> Decision:
        """The route of a question.

        Args:
            history: the turns before it.
        """
        way = _Deciding(question[:_READ].strip(), history, collection)
        way.faq = self._faqs.match(collection, way.question)
        way.took("faq")
        if way.faq and way.faq.exact:
            way.language = way.faq.entry.language or "en"
            return way.ends("faq", "exact")
        way.look_back()
        if way.query != way.question:
            way.faq = self._faqs.match(collection, way.query)
            way.took("faq")
        match = way.faq if way.faq and way.faq.accepted else None
        if match and match.confidence >= _SURE:
            return way.ends("faq", "faq")
        if match is None and is_small_talk(way.question):
            return way.ends("persona", "small_talk")
        if not self._search.is_empty(collection):
            way.found = self._search.search(collection, way.query)
            way.took("search")
        elif way.faq is None and not collection.faq_entries:
            return way.ends("persona", "empty")
        return self._weighed(way, match)

    def _weighed(self, way: _Deciding, match: FaqMatch | None) -> Decision:
        """Passages against an accepted entry that is not quite sure, or against nothing."""
        kept = way.found.kept if way.found else ()
        if match and not (kept and kept[0].relevance >= match.confidence + _BETTER):
            return way.ends("faq", "faq")
        if kept:
            return way.ends("sources", "better_passages" if match else "passages")
        return way.ends("refused", "weak" if way.found and way.found.hits else "nothing")


class _Deciding:
    """One decision in the making."""

    def __init__(
        self, question: str, history: Sequence[ChatMessage], collection: Collection
    ) -> None:
        self.question = self.query = question
        self.language = ""
        self.faq: FaqMatch | None = None
        self.found: Found | None = None
        self._history = history
        self._collection = collection
        self._timings: dict[str, float] = {}
        self._at = time.perf_counter()

    def took(self, step: str) -> None:
        """The time since the last step belongs to this one."""
        now = time.perf_counter()
        self._timings[step] = self._timings.get(step, 0.0) + 1000 * (now - self._at)
        self._at = now

    def look_back(self) -> None:
        """Find out what the conversation adds to the question, and its language."""
        self.query = standalone(self.question, self._history)
        asked = [turn.content[:_READ] for turn in self._history if turn.role == "user"]
        texts = (self.question, *reversed(asked[-3:]))
        self.language = next((code for text in texts if (code := language_of(text))), "en")
        self.took("understand")

    def ends(self, route: Route, why: Reason) -> Decision:
        """The decision."""
        return Decision(
            route=route,
            reason=reason(why, self.language, **self._facts(why)),
            question=self.question,
            query=self.query,
            language=self.language,
            collection=self._collection,
            faq=self.faq,
            found=self.found,
            timings=self._timings,
        )

    def _facts(self, why: Reason) -> dict[str, float]:
        facts: dict[str, float] = {}
        if self.found:
            best = max((hit.relevance for hit in self.found.hits), default=0.0)
            facts = {"count": len(self.found.kept), "best": best, "needed": self.found.threshold}
        if self.faq:
            facts["confidence"] = self.faq.confidence
            if why == "faq":
                facts["needed"] = self.faq.threshold
        return facts
