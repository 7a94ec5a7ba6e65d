"""What stands beside an answer: its sources, and the trace of how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from chatapp.flows.release import with_spans
from chatapp.flows.routing import Decision
from chatapp.knowledge.planted import is_planted
from chatapp.knowledge.quotes import Quote
from chatapp.knowledge.sentences import units
from chatapp.knowledge_records import FaqMatch, Hit, Route, Source, Trace, TracedHit
from chatapp.prompting import NumberedText
from chatapp.records import ChatMessage

_TRACED: Final = 20
"""Hits that are kept in a trace."""

_NEAR: Final = 0.4
"""Share of the threshold from which on something that is refused is at all near."""

_TOPICS: Final = 3


def faq_source(match: FaqMatch) -> Source:
    """An FAQ entry whose answer is given word for word."""
    answer = match.entry.answer
    return Source(
        number=1,
        document_id=match.entry.id,
        document="FAQ",
        title=match.question,
        kind="faq",
        text=answer,
        relevance=match.confidence,
        cited=True,
        spans=((0, len(answer)),),
    )


def passage_sources(hits: Sequence[Hit]) -> list[Source]:
    """Passages in this order, numbered from 1."""
    return [
        Source(
            number=number,
            document_id=hit.passage.document_id,
            document=hit.passage.document,
            title=hit.passage.title,
            kind=hit.passage.kind,
            text=hit.passage.text,
            relevance=hit.relevance,
            passage_id=hit.passage.id,
            heading=hit.passage.heading,
            page=hit.passage.page,
        )
        for number, hit in enumerate(hits, start=1)
    ]


def quoted(sources: Sequence[Source], quotes: Sequence[Quote]) -> tuple[list[Source], list[str]]:
    """The sources with what is quoted of them, and each quote as a Markdown block."""
    cited = list(sources)
    for quote in quotes:
        cited[quote.passage] = with_spans(cited[quote.passage], quote.spans)
    return cited, [f"> {quote.text} [{quote.passage + 1}]" for quote in quotes]


def numbered_texts(hits: Sequence[Hit]) -> list[NumberedText]:
    """Passages as a model reads them: without sentences that give it orders."""
    return [
        NumberedText(
            _origin(hit),
            _without_orders(hit.passage.text),
        )
        for hit in hits
    ]


def _origin(hit: Hit) -> str:
    parts = [hit.passage.title or hit.passage.document, *hit.passage.heading]
    return " › ".join(part for part in parts if not is_planted(part))


def _without_orders(text: str) -> str:
    kept, at = [], 0
    for unit in units(text):
        if is_planted(text[unit.start : unit.end]):
            kept.append(text[at : unit.start])
            at = unit.end
    return "".join([*kept, text[at:]])


def near_hits(decision: Decision) -> list[Hit]:
    """The passages nearest to a refused question, if they are at all near; one for each topic."""
    if decision.found is None:
        return []
    least = _NEAR * decision.found.threshold
    near: dict[str, Hit] = {}
    for hit in decision.found.hits:
        if hit.relevance >= least and hit.dropped in (None, "weak"):
            near.setdefault(topic_of(hit), hit)
    return list(near.values())[:_TOPICS]


def near_topics(decision: Decision) -> list[str]:
    """What a refused question may have been about: an FAQ question, titles and headings.

    Those in the asker's language; in others only where there are none.
    """
    topics = [(topic_of(hit), hit.passage.language) for hit in near_hits(decision)]
    match = decision.faq
    if match and match.confidence >= max(_NEAR * match.threshold, 0.1):
        topics.insert(0, (match.question, match.entry.language))
    readable = [topic for topic, language in topics if language in (decision.language, "")]
    return (readable or [topic for topic, _ in topics])[:_TOPICS]


def topic_of(hit: Hit) -> str:
    """What a passage is about: the title of its document and the nearest heading."""
    passage = hit.passage
    parts = [passage.title or passage.document, *passage.heading[-1:]]
    return " › ".join(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))


def trace_of(
    decision: Decision,
    route: Route,
    timings: Mapping[str, float],
    *,
    prompt: Sequence[ChatMessage] = (),
    model: str = "",
    adapter: str | None = None,
) -> Trace:
    """Why the answer is as it is.

    Args:
        prompt, model, adapter: only where the model was asked.
    """
    found, match = decision.found, decision.faq
    trace = Trace(
        question=decision.question,
        query=decision.query,
        language=decision.language,
        collection=decision.collection.name,
        route=route,
        reason=decision.reason,
        threshold=found.threshold if found else decision.collection.threshold or 0.0,
        hits=tuple(_traced(hit) for hit in found.hits[:_TRACED]) if found else (),
        prompt=tuple(prompt),
        timings=dict(timings),
        index_version=found.index_version if found else "",
        embedder=found.embedder if found else "",
        model=model,
        adapter=adapter,
    )
    if match is None:
        return trace
    return replace(
        trace,
        faq_question=match.question,
        faq_confidence=match.confidence,
        faq_threshold=match.threshold,
        faq_exact=match.exact,
    )


def _traced(hit: Hit) -> TracedHit:
    return TracedHit(
        passage_id=hit.passage.id,
        title=hit.passage.title or hit.passage.document,
        heading=hit.passage.heading,
        page=hit.passage.page,
        text=hit.passage.text,
        dense=hit.dense,
        lexical=hit.lexical,
        relevance=hit.relevance,
        dropped=hit.dropped,
    )
