"""Who asks, from which tab, and in which language: read from the request, never from the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

import gradio as gr

from chatapp.ui.identity import cookies_of
from chatapp.ui.sidebar import timezone_of
from chatapp.ui.texts import Words, language_of

OwnerOf = Callable[[gr.Request], str]
IsStaff = Callable[[gr.Request], bool]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's reader.

    Attributes:
        owner: whose conversations may be touched.
        tab: Gradio's random name for the open page.
        staff: whether the reader may see what only staff see.
    """

    owner: str
    tab: str
    words: Words
    zone: tzinfo
    staff: bool = False


def words_of(request: gr.Request) -> Words:
    """The reader's language."""
    chosen = cookies_of(request).get("chatapp_language")
    return Words(language_of(chosen, request.headers.get("accept-language")))


def visit_of(request: gr.Request, owner_of: OwnerOf, is_staff: IsStaff) -> Visit:
    """Everything a handler may know about its reader."""
    zone = timezone_of(cookies_of(request).get("chatapp_zone"))
    return Visit(
        owner_of(request),
        str(request.session_hash),
        words_of(request),
        zone,
        is_staff(request),
    )
