"""Knowledge that answers by counting words: a search, an FAQ and what keeps notes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatapp.errors import NotFound, StorageError
from chatapp.flows.grounded import Grounded, Style
from chatapp.flows.routing import Router
from chatapp.knowledge.normalising import normalised
from chatapp.knowledge_records import Collection, FaqEntry, FaqMatch, Found, Hit, Passage
from tests.fake_knowledge import FakeEmbedder, a_collection, words

_COMMON = {"a", "an", "the", "is", "are", "do", "does", "can", "i", "my", "you", "your", "to", "of"}
_COMMON |= {"in", "for", "and", "how", "what", "when", "where", "it"}


def a_passage(text: str, number: int = 1, **facts: object) -> Passage:
    """A passage of a document that is named after its number."""
    about: dict[str, object] = {
        "document_id": f"document-{number}",
        "document": f"{number}.md",
        "title": f"Document {number}",
        "kind": "markdown",
        "position": 0,
        "heading": (),
        "page": None,
        "language": "en",
    }
    return Passage(id=number, text=text, start=0, end=len(text), **(about | facts))  # type: ignore[arg-type]


def a_hit(text: str, number: int = 1, relevance: float = 0.9, **facts: object) -> Hit:
    """A passage that was found and is used."""
    passage = a_passage(text, number, **facts)
    return Hit(passage=passage, dense=relevance, lexical=3.0, relevance=relevance)


def an_entry(answer: str, *questions: str, language: str = "en") -> FaqEntry:
    """An FAQ entry."""
    return FaqEntry(
        id=f"faq-{questions[0]}",
        collection_id="public",
        questions=questions,
        answer=answer,
        language=language,
        tags=(),
        updated_at=a_collection().created_at,
    )


class CountingSearch:
    """The share of the query's words that a passage has is its relevance; half of them is enough.

    ``asked`` are the queries.
    """

    def __init__(self, *passages: Passage) -> None:
        self.passages = passages
        self.asked: list[str] = []

    def search(self, collection: Collection, query: str, *, k: int = 8) -> Found:
        self.asked.append(query)
        hits = []
        for passage in self.passages:
            share = _share(query, f"{passage.title} {passage.text}")
            dropped = None if share >= 0.5 else "weak"
            hits.append(
                Hit(passage=passage, dense=share, lexical=share, relevance=share, dropped=dropped)
            )
        hits.sort(key=lambda hit: -hit.relevance)
        return Found(
            query=query,
            hits=tuple(hits[:k]),
            threshold=0.5,
            index_version="counted-1",
            embedder="none",
        )

    def is_empty(self, collection: Collection) -> bool:
        return not self.passages


class CountingFaqs:
    """The same for the questions of FAQ entries; four words of five are enough."""

    def __init__(self, *entries: FaqEntry) -> None:
        self.entries = entries
        self.asked: list[str] = []

    def match(self, collection: Collection, question: str) -> FaqMatch | None:
        self.asked.append(question)
        found = [
            (self._confidence(question, variant), variant, entry)
            for entry in self.entries
            for variant in entry.questions
        ]
        if not found:
            return None
        confidence, nearest, entry = max(found, key=lambda one: one[0])
        exact = normalised(nearest) == normalised(question)
        return FaqMatch(
            entry=entry,
            question=nearest,
            exact=exact,
            confidence=1.0 if exact else confidence,
            runner_up=0.0,
            threshold=0.7,
            accepted=exact or confidence >= 0.7,
        )

    def _confidence(self, question: str, variant: str) -> float:
        return 0.95 * min(_share(question, variant), _share(variant, question))


def _share(asked: str, by: str) -> float:
    wanted = set(words(asked)) - _COMMON
    return len(wanted & set(words(by))) / len(wanted) if wanted else 0.0


@dataclass
class Notes:
    """Collections by name, and what was remembered of the answers from them."""

    names: tuple[str, ...] = ("public",)
    used_documents: list[str] = field(default_factory=list)
    unanswered: list[tuple[str, str, bytes | None]] = field(default_factory=list)
    full: bool = False
    """Whether nothing can be remembered."""

    def get(self, name: str) -> Collection:
        if name not in self.names:
            raise NotFound(f"There is no collection {name!r}.")
        return a_collection(name)

    def used(self, document_ids: Sequence[str]) -> None:
        self._remember()
        self.used_documents += document_ids

    def add(self, collection_id: str, question: str, vector: bytes | None) -> None:
        self._remember()
        self.unanswered.append((collection_id, question, vector))

    def _remember(self) -> None:
        if self.full:
            raise StorageError("The disk is full.")


def make_grounded(
    *passages: Passage,
    faqs: Sequence[FaqEntry] = (),
    style: Style = "auto",
    notes: Notes | None = None,
) -> Grounded:
    """Knowledge of these passages and entries in the collection ``public``."""
    embedder = FakeEmbedder(dimension=256)
    notes = notes or Notes()
    return Grounded(
        Router(CountingSearch(*passages), CountingFaqs(*faqs)),
        notes,
        lambda: embedder,
        style=style,
        documents=notes,
        unanswered=notes,
    )
