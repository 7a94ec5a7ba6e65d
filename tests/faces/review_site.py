"""The Review page as the app mounts it, behind its guard, with real stores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import gradio as gr
from fastapi import FastAPI

from chatapp.api.errors import add_error_handlers
from chatapp.api.review import review_routes
from chatapp.api.staff import StaffGate
from chatapp.api.staff_pages import StaffGuard, staff_routes
from chatapp.feedback_records import NewRemark, Remark, Tally
from chatapp.flows.feedback import Feedback
from chatapp.flows.feedback_review import Review
from chatapp.knowledge_records import Collection
from chatapp.store import (
    Collections,
    Conversations,
    Corrections,
    Database,
    Faqs,
    Messages,
    Remarks,
    UnansweredQuestions,
)
from chatapp.training_records import Purpose
from chatapp.ui.review import (
    ReviewHeadMiddleware,
    ReviewRooms,
    build_review_blocks,
    review_mount_kwargs,
)

SECRET = "a secret of the tests, long enough"


def mask(text: str) -> str:
    return re.sub(r"\S+@\S+", "[email]", text)


@dataclass
class ReviewSite:
    """The page's insides, at hand for a test."""

    app: FastAPI
    remarks: Remarks
    corrections: Corrections
    faqs: Faqs
    unanswered: UnansweredQuestions
    review: Review
    feedback: Feedback
    public: Collection
    tallies: list[Tally]
    labels: dict[Purpose, list[tuple[str, int]]]
    given: int = 0

    def give(self, question: str, better: str = "Within 30 days.", **facts: Any) -> Remark:
        """Somebody says that an answer is wrong."""
        self.given += 1
        said: dict[str, Any] = {
            "message_id": f"message-{self.given}",
            "conversation_id": "c",
            "owner": "ann",
            "question": question,
            "answer": "Never.",
            "model": "smol",
            "reason": "wrong",
            "better": better,
        }
        return self.remarks.give(NewRemark(**(said | facts)))


def review_site(database: Database, password: str | None = None) -> ReviewSite:
    """The page with its guard and the sign-in, and nothing at ``/``."""
    remarks, corrections = Remarks(database), Corrections(database)
    faqs, unanswered, collections = (
        Faqs(database),
        UnansweredQuestions(database),
        Collections(database),
    )
    feedback = Feedback(Conversations(database), Messages(database), remarks, corrections)
    review = Review(remarks, corrections, faqs, unanswered, mask, lambda _: "en")
    public = collections.ensure("public")
    collections.ensure("internal")
    tallies: list[Tally] = []
    labels: dict[Purpose, list[tuple[str, int]]] = {}
    host = "127.0.0.1" if password is None else "0.0.0.0"
    gate = StaffGate(host, password, SECRET)
    rooms = ReviewRooms(
        review=review,
        feedback=feedback,
        collections=collections,
        tallies=lambda: tallies,
        thumbs=lambda: (3, 1),
        labels=lambda purpose: labels.get(purpose, []),
        has_password=gate.has_password,
    )
    app = FastAPI()
    add_error_handlers(app)
    app.include_router(staff_routes(gate))
    app.include_router(review_routes(feedback.waiting, feedback.examples, feedback.held_out))
    gr.mount_gradio_app(app, build_review_blocks(rooms), path="/review", **review_mount_kwargs())
    app.add_middleware(ReviewHeadMiddleware)
    app.add_middleware(StaffGuard, gate=gate)
    return ReviewSite(
        app, remarks, corrections, faqs, unanswered, review, feedback, public, tallies, labels
    )
