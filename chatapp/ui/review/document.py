"""Puts the Review page's styles and scripts into its head."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from chatapp.ui.document import PageHeadMiddleware
from chatapp.ui.staff.document import FRAME

PATH: Final = "/review/"
_REVIEW: Final = Path(__file__).parent / "assets"


class ReviewHeadMiddleware(PageHeadMiddleware):
    """Adds them to the document at ``/review/``; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, PATH, (*FRAME, _REVIEW / "review.js", _REVIEW / "review.css"))
