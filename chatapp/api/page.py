"""The plain pages of the app that are not Gradio's: signing in, and reading a document.

They carry their whole look with them and run one script, which is named by its hash, so that
nothing a document contains could ever run beside it.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

Language = Literal["en", "zh"]

_ASSETS: Final = Path(__file__).parent / "assets"
_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">'
    '<path fill="#0f766e" d="M7 0h6q7 0 7 7v6q0 7-7 7H2q-2 0-2-2V7q0-7 7-7z"/>'
    '<path fill="#fff" d="M6 6h8v8H6z"/></svg>'
)


def language_of(request: HTTPConnection) -> Language:
    """The reader's choice, else the first of their browser's languages that we speak."""
    chosen = request.cookies.get("chatapp_language")
    if chosen in ("en", "zh"):
        return "zh" if chosen == "zh" else "en"
    for part in request.headers.get("accept-language", "").lower().split(","):
        if part.strip().startswith("zh"):
            return "zh"
        if part.strip().startswith("en"):
            return "en"
    return "en"


def page(
    title: str, body: str, language: Language, *, status: int = 200, kind: str = "card"
) -> HTMLResponse:
    """A whole page.

    Args:
        title: plain text, for the tab.
        body: HTML; whatever came from outside is escaped in it already.
        kind: ``card`` for a small thing in the middle, ``reader`` for a document.
    """
    style, script, source = _parts()
    return HTMLResponse(
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head>'
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        f'<link rel="icon" href="data:image/svg+xml,{quote(_ICON)}">'
        f"<style>{style}</style><script>{script}</script></head>"
        f'<body class="{kind}">{body}</body></html>',
        status,
        headers={
            "content-security-policy": (
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
                f"script-src {source}; frame-src 'self'; object-src 'self'; form-action 'self'; "
                "base-uri 'none'"
            ),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cache-control": "no-store",
        },
    )


@cache
def _parts() -> tuple[str, str, str]:
    """The style, the script, and the script's name in a content security policy."""
    style, script = ((_ASSETS / name).read_text("utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return style, script, f"'sha256-{digest}'"
