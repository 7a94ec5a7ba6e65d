"""Sources and a trace, as an answer from documents has them."""

from __future__ import annotations

from chatapp.knowledge_records import Source, Trace, TracedHit
from chatapp.records import ChatMessage

TRACE = Trace(
    question="and how much is it?",
    query="how much is the Fjell 2 tent?",
    language="en",
    collection="public",
    route="sources",
    reason="Two passages are relevant enough.",
    threshold=0.4,
    hits=(
        TracedHit(
            passage_id=7,
            title="Returns",
            heading=("Shop", "Returns"),
            page=3,
            text="Unused goods can be returned within 30 days.",
            dense=0.71,
            lexical=12.3,
            relevance=0.91,
            dropped=None,
        ),
        TracedHit(
            passage_id=9,
            title="Careers",
            heading=(),
            page=None,
            text="We hire in <b>May</b>.",
            dense=0.2,
            lexical=None,
            relevance=0.08,
            dropped="weak",
        ),
    ),
    faq_question="What does the tent cost?",
    faq_confidence=0.55,
    faq_threshold=0.8,
    prompt=(ChatMessage("system", "Answer <from> the passages."), ChatMessage("user", "How much?")),
    timings={"search": 12.4, "check": 850.0},
    index_version="public-17",
    embedder="bundled",
    model="fake-model",
)


def a_source(number: int, text: str, **changes: object) -> Source:
    """A passage of a handbook."""
    facts = {
        "number": number,
        "document_id": f"doc-{number}",
        "document": f"handbook-{number}.pdf",
        "title": f"Handbook {number}",
        "kind": "pdf",
        "text": text,
        "relevance": 0.9,
        "passage_id": 70 + number,
    }
    return Source(**(facts | changes))  # type: ignore[arg-type]
