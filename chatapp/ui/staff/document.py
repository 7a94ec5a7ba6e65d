"""Puts the staff pages' styles and scripts into their heads, as ``ui.document`` for the chat."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from chatapp.ui.document import ASSETS, PageHeadMiddleware

PATH: Final = "/staff/"
_STAFF: Final = Path(__file__).parent / "assets"
FRAME: Final = (
    ASSETS / "early.js",
    _STAFF / "frame.js",
    ASSETS / "chat.css",
    _STAFF / "frame.css",
)
"""What every staff page begins with: its top bar, texts, forms and notices."""
_KNOWLEDGE: Final = tuple(
    _STAFF / name for name in ("staff.js", "uploads.js", "staff.css", "panels.css")
)


class StaffHeadMiddleware(PageHeadMiddleware):
    """Adds them to the document at ``/staff/``; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, PATH, (*FRAME, *_KNOWLEDGE))
