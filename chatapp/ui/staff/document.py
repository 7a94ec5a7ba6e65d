"""Puts the staff page's styles and scripts into its head, as ``ui.document`` does for the chat."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from chatapp.ui.document import ASSETS, PageHeadMiddleware

PATH: Final = "/staff/"
_STAFF: Final = Path(__file__).parent / "assets"
_ASSETS: Final = (
    ASSETS / "early.js",
    _STAFF / "staff.js",
    _STAFF / "uploads.js",
    ASSETS / "chat.css",
    _STAFF / "staff.css",
    _STAFF / "panels.css",
)


class StaffHeadMiddleware(PageHeadMiddleware):
    """Adds them to the document at ``/staff/``; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, PATH, _ASSETS)
