"""Puts the staff page's styles and scripts into its head, as ``ui.document`` does for the chat."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.types import ASGIApp

from chatapp.ui.document import PageHeadMiddleware

PATH: Final = "/staff/"
_CHAT: Final = Path(__file__).parents[1] / "assets"
_STAFF: Final = Path(__file__).parent / "assets"
_SCRIPTS: Final = (_CHAT / "early.js", _STAFF / "staff.js", _STAFF / "uploads.js")
_STYLES: Final = (_CHAT / "chat.css", _STAFF / "staff.css", _STAFF / "panels.css")
_FAVICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">'
    '<path fill="#0f766e" d="M7 0h6q7 0 7 7v6q0 7-7 7H2q-2 0-2-2V7q0-7 7-7z"/>'
    '<path fill="#fff" d="M6 6h8v8H6z"/></svg>'
)


class StaffHeadMiddleware(PageHeadMiddleware):
    """Adds them to the document at ``/staff/``; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, PATH)
        self._addition = b"<head>" + _additions().encode()


def _additions() -> str:
    scripts = "".join(f"<script>{path.read_text('utf-8')}</script>" for path in _SCRIPTS)
    styles = "".join(f"<style>{path.read_text('utf-8')}</style>" for path in _STYLES)
    return f'{scripts}{styles}<link rel="icon" href="data:image/svg+xml,{quote(_FAVICON)}">'
