"""The Teach page on a real port, with a school that a test can teach in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from chatapp.api.errors import add_error_handlers
from chatapp.api.staff import StaffGate
from chatapp.api.staff_pages import StaffGuard, staff_routes
from chatapp.api.teach import Teaching, teach_routes
from chatapp.ui.teach import (
    Base,
    Role,
    TeachHeadMiddleware,
    TeachRooms,
    build_teach_blocks,
    report_page,
    teach_mount_kwargs,
)
from tests.faces.teach_school import ROLES, School, Wardrobe

SECRET = "a secret of the tests, long enough"
LARGEST = 512 * 1024


@dataclass
class Classroom:
    """The page's insides, at hand for a test."""

    address: str
    school: Any
    adapters: Wardrobe
    app: FastAPI


def classroom(
    folder: Path,
    school: Any = None,
    adapters: Wardrobe | None = None,
    *,
    password: str | None = None,
    host: str = "127.0.0.1",
) -> Classroom:
    """The page with its guard and its files, and nothing at ``/``."""
    school = school or School(folder)
    adapters = adapters or Wardrobe()
    gate = StaffGate(host, password, SECRET)
    rooms = TeachRooms(
        teaching=school,
        adapters=adapters,
        roles=lambda kind: [Role(name, required) for name, required in ROLES[kind]],
        bases=lambda task: [Base("minilm") if task == "classify" else Base("chat")],
        recommend_base=lambda languages, rows: (
            "minilm",
            f"These {rows} rows are in English, which MiniLM reads best.",
        ),
        corrections=lambda: len(school.approved),
        max_bytes=LARGEST,
        has_password=gate.has_password,
    )
    app = FastAPI()
    add_error_handlers(app)
    app.include_router(staff_routes(gate))
    app.include_router(teach_routes(Teaching(school, adapters, report_page, folder, LARGEST)))
    gr.mount_gradio_app(app, build_teach_blocks(rooms), path="/teach", **teach_mount_kwargs())
    app.add_middleware(TeachHeadMiddleware)
    app.add_middleware(StaffGuard, gate=gate)
    return Classroom("", school, adapters, app)
