"""The staff's page: which handler answers to what."""

from __future__ import annotations

from typing import Any, Final

import gradio as gr

from chatapp.ui.staff.collections import CollectionHandlers
from chatapp.ui.staff.desk import Desk
from chatapp.ui.staff.documents import DocumentHandlers
from chatapp.ui.staff.faq import FaqHandlers
from chatapp.ui.staff.hit_test import HitTestHandlers
from chatapp.ui.staff.parts import StaffParts, draw_staff
from chatapp.ui.staff.rooms import StaffRooms
from chatapp.ui.staff.texts import staff_translations
from chatapp.ui.staff.unanswered import UnansweredHandlers
from chatapp.ui.texts import GRADIO_LOCALES, LANGUAGES
from chatapp.ui.theme import theme

_AT_ONCE: Final = 64
"""Events of one kind handled at the same time."""
# As in the chat: every event of a kind is heard, none is an endpoint of its own.
_QUIET: Final[dict[str, Any]] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "trigger_mode": "multiple",
}
_LATEST: Final = _QUIET | {"trigger_mode": "always_last"}


def build_staff_blocks(rooms: StaffRooms) -> gr.Blocks:
    """The page, ready to be mounted at ``/staff`` behind ``StaffGuard``.

    None of its handlers asks again who the reader is: whatever reaches them has passed the guard.
    """
    blocks = gr.Blocks(
        title="Knowledge · Support assistant",
        analytics_enabled=False,
        fill_height=True,
        fill_width=True,
    )
    desk = Desk(rooms)
    with blocks:
        parts = draw_staff(
            _translator(), has_password=rooms.has_password, max_bytes=rooms.max_bytes
        )
        _wire_collections(blocks, parts, CollectionHandlers(desk))
        _wire_documents(parts, DocumentHandlers(desk))
        _wire_faq(parts, FaqHandlers(desk))
        _wire_search(parts, HitTestHandlers(desk))
        _wire_unanswered(parts, UnansweredHandlers(desk))
    blocks.queue(default_concurrency_limit=_AT_ONCE, api_open=False)
    # Only then does Gradio refuse server paths that a client passes off as its own upload.
    blocks.has_launched = True
    return blocks


def staff_mount_kwargs() -> dict[str, Any]:
    """How the page wants to be mounted by ``gr.mount_gradio_app``."""
    return {
        "theme": theme(),
        "i18n": _translator(),
        # Documents come in by HTTP and not through Gradio, which is left with nothing to take.
        "max_file_size": "1kb",
        "show_error": False,
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
    }


def _translator() -> gr.I18n:
    return gr.I18n(**{GRADIO_LOCALES[code]: staff_translations(code) for code in LANGUAGES})


def _wire_collections(blocks: gr.Blocks, parts: StaffParts, on: CollectionHandlers) -> None:
    desk, outputs, current = parts.desk, parts.outputs, [parts.current]
    blocks.load(on.arrive, current, outputs, js="() => window.chatapp.wanted()", **_QUIET)
    desk.open(on.open, None, outputs, **_QUIET)
    desk.create(on.create, None, outputs, **_QUIET)
    desk.rename(on.rename, current, outputs, **_QUIET)
    desk.remove(on.remove, current, outputs, **_QUIET)
    desk.bring_back(on.bring_back, None, outputs, **_QUIET)


def _wire_documents(parts: StaffParts, on: DocumentHandlers) -> None:
    desk, outputs = parts.desk, parts.outputs
    here = [parts.current, parts.document_search]
    parts.document_search.change(
        on.search, [parts.document_search, parts.current], [parts.documents], **_LATEST
    )
    desk.refresh(on.refresh, here, outputs, **_QUIET)
    desk.delete_documents(on.delete, here, outputs, **_QUIET)
    desk.restore_documents(on.restore, here, outputs, **_QUIET)
    desk.paste(on.paste, here, outputs, **_QUIET)
    desk.stop_intake(on.stop, here, outputs, **_QUIET)
    desk.clear(on.clear, here, outputs, **_QUIET)
    desk.demo(on.load_demo, [parts.current], outputs, **_QUIET)


def _wire_faq(parts: StaffParts, on: FaqHandlers) -> None:
    desk, outputs = parts.desk, parts.outputs
    here = [parts.current, parts.faq_search]
    parts.faq_search.change(on.search, [parts.faq_search, parts.current], [parts.faq], **_LATEST)
    desk.save_entry(on.save, here, outputs, **_QUIET)
    desk.delete_entries(on.delete, here, outputs, **_QUIET)
    desk.restore_entries(on.restore, here, outputs, **_QUIET)
    desk.reload_faq(on.reload, here, outputs, **_QUIET)


def _wire_search(parts: StaffParts, on: HitTestHandlers) -> None:
    here = [parts.question, parts.current]
    gr.on([parts.question.submit, parts.attempt.click], on.run, here, [parts.hits], **_QUIET)
    parts.desk.thresholds(on.set_thresholds, here, parts.outputs, **_QUIET)


def _wire_unanswered(parts: StaffParts, on: UnansweredHandlers) -> None:
    desk, outputs, current = parts.desk, parts.outputs, [parts.current]
    desk.unanswered(on.show, current, outputs, **_QUIET)
    desk.draft(on.draft, current, outputs, **_QUIET)
    desk.dismiss_group(on.dismiss, current, outputs, **_QUIET)
    desk.undismiss(on.undismiss, current, outputs, **_QUIET)
    desk.answered(on.answered, current, outputs, **_QUIET)
