"""Puts the staff's page, the document viewer and their guard into the app."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr
from fastapi import FastAPI

from chatapp.api.documents import Library, document_routes
from chatapp.api.knowledge import Loading, knowledge_routes
from chatapp.api.staff import StaffGate
from chatapp.api.staff_pages import StaffGuard, staff_routes
from chatapp.bootstrap_knowledge import Knowledge
from chatapp.engine.base import Engine
from chatapp.flows.answering import Answering
from chatapp.flows.demo import Demo
from chatapp.flows.drafting import Composing, Drafting
from chatapp.knowledge.calibration import THRESHOLD
from chatapp.knowledge.faq import FAQ_THRESHOLD
from chatapp.personas import answered_from
from chatapp.records import Persona
from chatapp.settings import Settings
from chatapp.ui.staff import (
    StaffHeadMiddleware,
    StaffRooms,
    build_staff_blocks,
    staff_mount_kwargs,
)


def add_staff_pages(
    asgi: FastAPI,
    knowledge: Knowledge,
    gate: StaffGate,
    answering: Answering,
    engine: Engine,
    personas: Mapping[str, Persona],
    settings: Settings,
) -> None:
    """Add them; before the page at ``/``, which would answer for them."""
    open_collections = answered_from(personas)
    demo = Demo(knowledge.ingest, knowledge.faqs, knowledge.collections)
    max_bytes = settings.max_upload_mb * 2**20
    composing = Composing(answering, engine, settings.answer_style)
    rooms = StaffRooms(
        collections=knowledge.collections,
        documents=knowledge.documents,
        faqs=knowledge.faqs,
        files=knowledge.files,
        unanswered=knowledge.unanswered,
        ingest=knowledge.ingest,
        router=knowledge.router,
        search=knowledge.search,
        embedder=knowledge.embedder,
        draft=Drafting(knowledge.search, knowledge.embedder, composing.write).draft,
        load_demo=demo.load,
        answering=lambda: open_collections,
        thresholds=(THRESHOLD, FAQ_THRESHOLD),
        has_password=gate.has_password,
        max_bytes=max_bytes,
    )
    loading = Loading(
        knowledge.ingest,
        knowledge.faqs,
        knowledge.collections,
        knowledge.folder,
        max_bytes,
    )
    library = Library(
        knowledge.documents,
        knowledge.collections,
        knowledge.folder / "documents",
        gate,
        rooms.answering,
    )
    for routes in (staff_routes(gate), document_routes(library), knowledge_routes(loading)):
        asgi.include_router(routes)
    gr.mount_gradio_app(asgi, build_staff_blocks(rooms), path="/staff", **staff_mount_kwargs())
    asgi.add_middleware(StaffHeadMiddleware)
    asgi.add_middleware(StaffGuard, gate=gate)
