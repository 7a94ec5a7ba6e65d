"""The nouns of knowledge: what the team's documents become, and what an answer leaned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from chatapp.records import ChatMessage

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimension), each row of length 1: their inner product is the cosine."""

Route = Literal["faq", "sources", "quote", "refused", "persona"]
"""Where an answer comes from: an approved FAQ answer word for word; the model, on sources; quoted
sentences of sources, without the model; nowhere, as nothing relevant was found; or the persona
alone (small talk, or no knowledge at all)."""

PassageIds = npt.NDArray[np.int64]

FileStatus = Literal["queued", "working", "done", "unchanged", "failed", "stopped"]


# ---- what is kept ------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One knowledge base, e.g. ``public`` or ``internal``.

    Attributes:
        threshold: relevance in 0–1 below which passages are refused; None is the built-in one.
        faq_threshold: the same for matches that are not exact.
    """

    id: str
    name: str
    created_at: datetime
    documents: int = 0
    passages: int = 0
    faq_entries: int = 0
    threshold: float | None = None
    faq_threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document as the database keeps it.

    Attributes:
        name: its key in the collection: the path inside a folder or zip, a file name, or the
            ``id`` of a row of a JSONL file. A document of the same name replaces it.
        kind: ``pdf``, ``docx``, ``pptx``, ``xlsx``, ``csv``, ``html``, ``markdown``, ``text``,
            ``json``, ``email`` or ``row``.
        content_hash: SHA-256 of what was uploaded, in hex.
        file: the original's name under the data folder's ``documents/``, if it is kept.
    """

    id: str
    collection_id: str
    name: str
    title: str
    kind: str
    size: int
    content_hash: str
    language: str
    tags: tuple[str, ...]
    pages: int | None
    passages: int
    file: str | None
    created_at: datetime
    last_used_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a document, as it is searched and shown.

    Attributes:
        id: grows with time and is never used again.
        position: its place among the passages of its document, from 0.
        heading: the path of headings above it, outermost first.
        page: the page it begins on, from 1; for slides and sheets theirs; None without pages.
        start, end: where it is in the document's text, in characters.
    """

    id: int
    document_id: str
    document: str
    title: str
    kind: str
    position: int
    text: str
    heading: tuple[str, ...]
    page: int | None
    start: int
    end: int
    language: str


@dataclass(frozen=True, slots=True)
class PassageBatch:
    """Some passages with their vectors, shape (passages, dimension)."""

    passages: tuple[Passage, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqEntry:
    """An approved answer, and the ways people ask for it."""

    id: str
    collection_id: str
    questions: tuple[str, ...]
    answer: str
    language: str
    tags: tuple[str, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A question that was refused, as it was asked.

    ``note``: what a reviewer wrote about the document that is missing; empty for most.
    """

    id: str
    collection_id: str
    question: str
    asked_at: datetime
    vector: bytes | None = None
    note: str = ""


# ---- documents on their way in -----------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading in a document's text: at ``start``, of level 1 (outermost) to 6."""

    start: int
    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDocument:
    """What a loader read.

    Attributes:
        text: all of it, in reading order; tables and lists as Markdown.
        headings: by ``start``.
        page_starts: where each page begins in ``text``, the first at 0; empty without pages.
        blocks: (start, end) of tables and lists that are to stay whole where they fit.
    """

    name: str
    title: str
    kind: str
    text: str
    headings: tuple[Heading, ...] = ()
    page_starts: tuple[int, ...] = ()
    blocks: tuple[tuple[int, int], ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassage:
    """A passage that is not stored yet."""

    text: str
    heading: tuple[str, ...]
    page: int | None
    start: int
    end: int
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A document that is read, split and embedded, but not stored yet.

    Attributes:
        content_hash, size, file: as ``Document`` has them.
        vectors: one row for each passage.
    """

    loaded: LoadedDocument
    content_hash: str
    size: int
    language: str
    passages: Sequence[NewPassage]
    vectors: Vectors
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFaq:
    """A row of a table of questions: one way to ask for one answer."""

    question: str
    answer: str
    language: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportCount:
    """What became of the rows of such a table.

    Attributes:
        added: began an entry.
        merged: became another way to ask for an answer that is there; also when the question
            had another answer before.
        unchanged: were there already, or are overruled by a later row with the same question.
    """

    added: int
    merged: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestFile:
    """One file of an ingestion: queued, worked on, or how it ended.

    Attributes:
        file: its copy under the data folder's ``documents/``.
        reason: why it failed, as a sentence.
        step: what is being done now: ``read``, ``split``, ``embed`` or ``store``.
        done, total: pages while reading, passages while embedding; total is 0 where unknown.
    """

    id: str
    collection_id: str
    batch_id: str
    name: str
    file: str
    size: int
    status: FileStatus
    added_at: datetime
    tags: tuple[str, ...] = ()
    reason: str | None = None
    passages: int = 0
    step: str = ""
    done: int = 0
    total: int = 0


# ---- what was found ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage that a search considered.

    Attributes:
        dense: cosine of query and passage; None when only the words matched.
        lexical: BM25; None when no word matched.
        relevance: calibrated: the share of such hits that answer the question, 0 to 1.
        dropped: why it is not used (``weak``, ``duplicate``, ``filtered``); None when it is.
    """

    passage: Passage
    dense: float | None
    lexical: float | None
    relevance: float
    dropped: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One search: hits by falling relevance, the dropped ones among them."""

    query: str
    hits: tuple[Hit, ...]
    threshold: float
    index_version: str
    embedder: str
    timings: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by step."""

    @property
    def kept(self) -> tuple[Hit, ...]:
        """The hits an answer may lean on."""
        return tuple(hit for hit in self.hits if hit.dropped is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqMatch:
    """The FAQ entry nearest to a question.

    Attributes:
        question: the variant that is nearest.
        exact: whether it is the same but for case, punctuation and width.
        confidence: calibrated, 0 to 1; 1 when exact.
        runner_up: confidence of the next best entry.
        accepted: whether its answer may be given word for word.
    """

    entry: FaqEntry
    question: str
    exact: bool
    confidence: float
    runner_up: float
    threshold: float
    accepted: bool


# ---- what an answer leaned on ------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A passage, or an FAQ entry, as it stands beside an answer.

    Attributes:
        number: as the answer cites it: ``[1]``.
        passage_id: None for an FAQ entry, whose id is ``document_id`` then.
        spans: (start, end) in ``text`` of what supports the answer.
    """

    number: int
    document_id: str
    document: str
    title: str
    kind: str
    text: str
    relevance: float
    passage_id: int | None = None
    heading: tuple[str, ...] = ()
    page: int | None = None
    cited: bool = False
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A part of an answer, in characters, that its sources do not support.

    Attributes:
        reason: ``unsupported`` (no source says so) or ``figure`` (a number, date, price or code
            stands in no source).
    """

    start: int
    end: int
    reason: Literal["unsupported", "figure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedHit:
    """A hit in a trace: enough to see why it was used or not."""

    passage_id: int
    title: str
    heading: tuple[str, ...]
    page: int | None
    text: str
    dense: float | None
    lexical: float | None
    relevance: float
    dropped: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Why an answer is as it is.

    Attributes:
        query: the question as it was searched, after what the conversation adds to it.
        faq_question, faq_confidence: the nearest FAQ question; None without any.
        prompt: exactly what the model read; empty when it was not asked.
        timings: milliseconds by step.
    """

    question: str
    query: str
    language: str
    collection: str
    route: Route
    reason: str
    threshold: float
    hits: tuple[TracedHit, ...] = ()
    faq_question: str | None = None
    faq_confidence: float | None = None
    faq_threshold: float | None = None
    faq_exact: bool = False
    prompt: tuple[ChatMessage, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    index_version: str = ""
    embedder: str = ""
    model: str = ""
    adapter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """All that is kept with an answer beside its text."""

    route: Route
    sources: tuple[Source, ...] = ()
    flags: tuple[Flag, ...] = ()
    trace: Trace | None = None
