"""The Knowledge page on a real port: real stores and intake, with a reader and a model of words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from chatapp.api.documents import Library, document_routes
from chatapp.api.errors import add_error_handlers
from chatapp.api.knowledge import Loading, knowledge_routes
from chatapp.api.staff import StaffGate
from chatapp.api.staff_pages import StaffGuard, staff_routes
from chatapp.errors import DocumentError
from chatapp.flows.drafting import Drafting
from chatapp.flows.ingest import Ingest
from chatapp.flows.preparing import Preparation, Progress
from chatapp.flows.routing import Decision
from chatapp.knowledge_records import (
    Collection,
    FaqMatch,
    Found,
    Heading,
    Hit,
    LoadedDocument,
    NewPassage,
    Passage,
    Route,
)
from chatapp.records import ChatMessage
from chatapp.store import (
    Collections,
    Database,
    Documents,
    Faqs,
    IngestFiles,
    UnansweredQuestions,
)
from chatapp.ui.staff import (
    StaffHeadMiddleware,
    StaffRooms,
    build_staff_blocks,
    staff_mount_kwargs,
)
from tests.fake_knowledge import FakeEmbedder, words

SECRET = "a secret of the tests, long enough"
LARGEST = 64 * 1024


class WordReader:
    """Reads plain text with ``# headings``; ``broken`` in a name cannot be read.

    A file that is held waits at its first of three pages.
    """

    def __init__(self) -> None:
        self._held: dict[str, threading.Event] = {}

    def hold(self, name: str) -> threading.Event:
        """Let the file of that name wait until this is set."""
        return self._held.setdefault(name, threading.Event())

    def read(self, path: Path, name: str, progress: Progress) -> Iterator[LoadedDocument]:
        if "broken" in name:
            raise DocumentError(f"{name} is damaged. Save it again in its program.")
        progress(1, 3)
        if name in self._held:
            self._held[name].wait()
        content = path.read_text("utf-8")
        headings, start = [], 0
        for line in content.splitlines(keepends=True):
            if line.startswith("#"):
                level = len(line) - len(line.lstrip("#"))
                headings.append(Heading(start=start, level=level, text=line.strip("# \n")))
            start += len(line)
        progress(3, 3)
        title = headings[0].text if headings else Path(name).stem
        yield LoadedDocument(
            name=name,
            title=title,
            kind="pdf" if name.endswith(".pdf") else "markdown",
            text=content,
            headings=tuple(headings),
        )

    def close(self) -> None:
        for held in self._held.values():
            held.set()


def paragraphs(document: LoadedDocument, _count: object, _tokens: int) -> list[NewPassage]:
    """Each paragraph is a passage."""
    found, start = [], 0
    for block in document.text.split("\n\n"):
        if block.strip() and not block.startswith("#"):
            found.append(
                NewPassage(
                    text=block,
                    heading=(document.title,),
                    page=None,
                    start=start,
                    end=start + len(block),
                    language="en",
                )
            )
        start += len(block) + 2
    return found


class WordSearch:
    """Finds passages by the share of the question's words they hold; decides by it too."""

    def __init__(self, documents: Documents, faqs: Faqs) -> None:
        self._documents = documents
        self._faqs = faqs

    def search(self, collection: Collection, query: str, *, k: int = 8) -> Found:
        threshold = collection.threshold if collection.threshold is not None else 0.5
        passages: list[Passage] = []
        for document in self._documents.list(collection.id):
            passages += self._documents.passages(document.id)
        hits = sorted(
            (self._hit(passage, query, threshold) for passage in passages),
            key=lambda hit: -hit.relevance,
        )
        return Found(
            query=query,
            hits=tuple(hits[:k]),
            threshold=threshold,
            index_version="7",
            embedder="words",
            timings={"search": 1.5},
        )

    def decide(
        self, question: str, history: Sequence[ChatMessage], collection: Collection
    ) -> Decision:
        for entry in self._faqs.entries(collection.id):
            share = max(_share(question, asked) for asked in entry.questions)
            if share > 0.5:
                match = FaqMatch(
                    entry=entry,
                    question=entry.questions[0],
                    exact=share == 1,
                    confidence=share,
                    runner_up=0.1,
                    threshold=0.6,
                    accepted=share >= 0.6,
                )
                if match.accepted:
                    return _decision("faq", "An entry says so.", question, collection, match)
        found = self.search(collection, question)
        route: Route = "sources" if found.kept else "refused"
        return _decision(route, "The passages decide.", question, collection, None, found)

    def is_empty(self, collection: Collection) -> bool:
        return not self._documents.list(collection.id)

    def _hit(self, passage: Passage, query: str, threshold: float) -> Hit:
        share = _share(query, passage.text)
        return Hit(
            passage=passage,
            dense=share,
            lexical=share * 10,
            relevance=share,
            dropped=None if share >= threshold else "weak",
        )


def _decision(
    route: Route,
    reason: str,
    question: str,
    collection: Collection,
    faq: FaqMatch | None,
    found: Found | None = None,
) -> Decision:
    return Decision(
        route=route,
        reason=reason,
        question=question,
        query=question,
        language="en",
        collection=collection,
        faq=faq,
        found=found,
        timings={"search": 1.5},
    )


def _share(question: str, text: str) -> float:
    asked = set(words(question))
    return len(asked & set(words(text))) / len(asked) if asked else 0.0


@dataclass
class Desk:
    """The page's insides, at hand for a test."""

    address: str
    collections: Collections
    documents: Documents
    faqs: Faqs
    files: IngestFiles
    unanswered: UnansweredQuestions
    reader: WordReader
    ingest: Ingest
    folder: Path
    public: Collection


@dataclass(frozen=True)
class StaffParts:
    """All that the page is made of."""

    app: FastAPI
    desk: Desk


def staff_parts(
    database: Database, folder: Path, password: str | None = None, host: str = "127.0.0.1"
) -> StaffParts:
    """The page with its guard, its files and the document viewer, and nothing at ``/``."""
    collections, documents, faqs = Collections(database), Documents(database), Faqs(database)
    files, unanswered = IngestFiles(database), UnansweredQuestions(database)
    embedder, reader = FakeEmbedder(), WordReader()
    ingest = Ingest(
        collections,
        documents,
        files,
        Preparation(reader, lambda: embedder, paragraphs, lambda _: "en"),
        folder,
        LARGEST,
    )
    search = WordSearch(documents, faqs)
    gate = StaffGate(host, password, SECRET)

    def load_demo(name: str) -> str:
        collection = collections.ensure(name)
        faqs.add(collection.id, ["Where is the shop?"], "By the lake.", "en", [])
        return ingest.add_text(collection.id, "Demo handbook", "# Demo\n\nTents are dry.")

    rooms = StaffRooms(
        collections=collections,
        documents=documents,
        faqs=faqs,
        files=files,
        unanswered=unanswered,
        ingest=ingest,
        router=search,
        search=search,
        embedder=lambda: embedder,
        draft=Drafting(search, lambda: embedder).draft,
        load_demo=load_demo,
        answering=lambda: frozenset({"public"}),
        thresholds=(0.5, 0.6),
        max_bytes=LARGEST,
        has_password=gate.has_password,
    )
    app = FastAPI()
    add_error_handlers(app)
    library = Library(documents, collections, folder / "documents", gate, rooms.answering)
    app.include_router(staff_routes(gate))
    app.include_router(document_routes(library))
    app.include_router(knowledge_routes(Loading(ingest, faqs, collections, folder, LARGEST)))
    gr.mount_gradio_app(app, build_staff_blocks(rooms), path="/staff", **staff_mount_kwargs())
    app.add_middleware(StaffHeadMiddleware)
    app.add_middleware(StaffGuard, gate=gate)
    public = collections.ensure("public")
    desk = Desk("", collections, documents, faqs, files, unanswered, reader, ingest, folder, public)
    return StaffParts(app, desk)


@asynccontextmanager
async def working(ingest: Ingest) -> AsyncIterator[None]:
    """Documents are taken in meanwhile."""
    task = asyncio.create_task(ingest.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
