"""Puts the Teach page, and the files that go in and out of it, into the app."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr
from fastapi import FastAPI

from chatapp.api.staff import StaffGate
from chatapp.api.teach import Teaching, teach_routes
from chatapp.bootstrap_training import Training
from chatapp.settings import Settings
from chatapp.training.classify import recommend_base
from chatapp.training.data import ROLES
from chatapp.training_records import Task
from chatapp.ui.teach import (
    Base,
    Role,
    TeachHeadMiddleware,
    TeachRooms,
    build_teach_blocks,
    report_page,
    teach_mount_kwargs,
)


def add_teach_page(asgi: FastAPI, training: Training, gate: StaffGate, settings: Settings) -> None:
    """Add the page at ``/teach``; before the staff's pages, which bring the guard along."""
    max_bytes = settings.max_upload_mb * 2**20
    rooms = TeachRooms(
        teaching=training.finetune,
        adapters=training.adapters,
        roles=lambda kind: [Role(role.name, role.required) for role in ROLES[kind]],
        bases=_bases,
        recommend_base=recommend_base,
        corrections=lambda: len(training.feedback.examples()),
        max_bytes=max_bytes,
        has_password=gate.has_password,
    )
    files = Teaching(training.finetune, training.adapters, report_page, training.folder, max_bytes)
    asgi.include_router(teach_routes(files))
    gr.mount_gradio_app(asgi, build_teach_blocks(rooms), path="/teach", **teach_mount_kwargs())
    asgi.add_middleware(TeachHeadMiddleware)


def _bases(task: Task) -> Sequence[Base]:
    """What can be chosen by name; any other is typed."""
    chat = Base("chat")
    return [Base("minilm"), Base("multilingual"), chat] if task == "classify" else [chat]
