"""Puts the Review page into the app."""

from __future__ import annotations

import gradio as gr
from fastapi import FastAPI

from chatapp.api.review import review_routes
from chatapp.bootstrap_knowledge import Knowledge
from chatapp.bootstrap_training import Training
from chatapp.flows.comparing import Comparing
from chatapp.flows.feedback_review import Review
from chatapp.knowledge.languages import language_of
from chatapp.store import Corrections, Database, Messages, Remarks
from chatapp.training.data.personal import mask_personal
from chatapp.ui.review import (
    ReviewHeadMiddleware,
    ReviewRooms,
    build_review_blocks,
    review_mount_kwargs,
)


def add_review_page(
    asgi: FastAPI,
    database: Database,
    knowledge: Knowledge,
    training: Training,
    comparing: Comparing,
    *,
    has_password: bool,
) -> None:
    """Add it, behind the guard of the staff's pages; before the page at ``/``."""
    review = Review(
        Remarks(database),
        Corrections(database),
        knowledge.faqs,
        knowledge.unanswered,
        mask_personal,
        language_of,
    )
    rooms = ReviewRooms(
        review=review,
        feedback=training.feedback,
        collections=knowledge.collections,
        tallies=comparing.tallies,
        thumbs=Messages(database).thumbs,
        labels=training.labels.counts,
        has_password=has_password,
    )
    feedback = training.feedback
    asgi.include_router(review_routes(feedback.waiting, feedback.examples, feedback.held_out))
    page = build_review_blocks(rooms)
    gr.mount_gradio_app(asgi, page, path="/review", **review_mount_kwargs())
    asgi.add_middleware(ReviewHeadMiddleware)
