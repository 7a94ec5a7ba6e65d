"""Puts the Teach page's styles and scripts into its head, after those of every staff page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from chatapp.ui.document import PageHeadMiddleware
from chatapp.ui.staff.document import FRAME

PATH: Final = "/teach/"
_OWN: Final = Path(__file__).parent / "assets"
_STAFF: Final = FRAME[-1].parent
_TEACH: Final = (
    _OWN / "teach.js",
    _OWN / "files.js",
    # Drop zones, bars, menus and lines about uploads look as on the Knowledge page.
    _STAFF / "staff.css",
    _STAFF / "panels.css",
    *(_OWN / name for name in ("teach.css", "learning.css", "report.css")),
)


class TeachHeadMiddleware(PageHeadMiddleware):
    """Adds them to the document at ``/teach/``; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, PATH, (*FRAME, *_TEACH))
