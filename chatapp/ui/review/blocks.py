"""The Review page: which handler answers to what."""

from __future__ import annotations

from typing import Any, Final

import gradio as gr

from chatapp.ui.review.handlers import ReviewHandlers
from chatapp.ui.review.parts import ReviewParts, draw_review
from chatapp.ui.review.rooms import ReviewRooms
from chatapp.ui.review.texts import review_translations
from chatapp.ui.staff import staff_mount_kwargs
from chatapp.ui.texts import GRADIO_LOCALES, LANGUAGES

_AT_ONCE: Final = 64
"""Events of one kind handled at the same time."""
# As in the chat: every event of a kind is heard, none is an endpoint of its own.
_QUIET: Final[dict[str, Any]] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "trigger_mode": "multiple",
}
_LATEST: Final = _QUIET | {"trigger_mode": "always_last"}


def build_review_blocks(rooms: ReviewRooms) -> gr.Blocks:
    """The page, ready to be mounted at ``/review`` behind ``StaffGuard``."""
    blocks = gr.Blocks(
        title="Review · Support assistant",
        analytics_enabled=False,
        fill_height=True,
        fill_width=True,
    )
    with blocks:
        _wire(blocks, draw_review(has_password=rooms.has_password), ReviewHandlers(rooms))
    blocks.queue(default_concurrency_limit=_AT_ONCE, api_open=False)
    # Only then does Gradio refuse server paths that a client passes off as its own upload.
    blocks.has_launched = True
    return blocks


def review_mount_kwargs() -> dict[str, Any]:
    """How the page wants to be mounted by ``gr.mount_gradio_app``."""
    return staff_mount_kwargs() | {"i18n": _translator()}


def _translator() -> gr.I18n:
    return gr.I18n(**{GRADIO_LOCALES[code]: review_translations(code) for code in LANGUAGES})


def _wire(blocks: gr.Blocks, parts: ReviewParts, on: ReviewHandlers) -> None:
    desk, outputs = parts.desk, parts.outputs
    blocks.load(on.arrive, None, outputs, **_QUIET)
    desk.filter(on.filter, None, outputs, **_LATEST)
    desk.numbers(on.numbers, None, outputs, **_QUIET)
    failed = "(kept) => window.chatapp.refused()"
    for event, handler in (
        (desk.approve, on.approve),
        (desk.to_faq, on.to_faq),
        (desk.missing_document, on.missing_document),
        (desk.reject, on.reject),
        (desk.edit_example, on.edit_example),
    ):
        event(handler, None, outputs, **_QUIET).failure(None, None, None, js=failed, **_QUIET)
    desk.undo(on.undo, None, outputs, **_QUIET)
    desk.unedit_example(on.unedit_example, None, outputs, **_QUIET)
    desk.delete_example(on.delete_example, None, outputs, **_QUIET)
    desk.restore_example(on.restore_example, None, outputs, **_QUIET)
