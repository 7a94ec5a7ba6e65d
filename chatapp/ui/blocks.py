"""The page: one Blocks, one file a tab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import gradio as gr

from chatapp.engine.base import Engine
from chatapp.flows.chat import Chat
from chatapp.records import Persona
from chatapp.store import Conversations, Messages
from chatapp.ui.chat import build_chat
from chatapp.ui.learning import Learning
from chatapp.ui.shelf import Rooms, Shelf
from chatapp.ui.texts import GRADIO_LOCALES, LANGUAGES, translations
from chatapp.ui.theme import theme
from chatapp.ui.visit import IsStaff

LARGEST_UPLOAD: Final = "10mb"
_AT_ONCE: Final = 256
"""Events of one kind handled at the same time; the engine has its own queue behind them."""


def build_blocks(
    chat: Chat,
    conversations: Conversations,
    messages: Messages,
    engine: Engine,
    personas: Mapping[str, Persona],
    owner_of: Callable[[gr.Request], str],
    is_staff: IsStaff = lambda _: False,
    learning: Learning | None = None,
) -> gr.Blocks:
    """The page, ready to be mounted.

    Args:
        owner_of: whose conversations a request may see.
        is_staff: whether a request's reader may see what only staff see.
        learning: takes feedback, and knows the adapters; None does neither.
    """
    rooms = Rooms(chat, conversations, messages, engine, personas, learning or Learning())
    shelf = Shelf(rooms, owner_of, is_staff)
    blocks = gr.Blocks(
        title="Support assistant", analytics_enabled=False, fill_height=True, fill_width=True
    )
    with blocks:
        build_chat(blocks, shelf, translator())
    blocks.queue(default_concurrency_limit=_AT_ONCE, api_open=False)
    # Only then does Gradio refuse server paths that a client passes off as its own upload.
    blocks.has_launched = True
    return blocks


def translator() -> gr.I18n:
    """Every text by its key, in every language, for the browser to pick from."""
    return gr.I18n(**{GRADIO_LOCALES[code]: translations(code) for code in LANGUAGES})


def mount_kwargs() -> dict[str, Any]:
    """How the page wants to be mounted by ``gr.mount_gradio_app``."""
    return {
        "theme": theme(),
        "i18n": translator(),
        "max_file_size": LARGEST_UPLOAD,
        "show_error": False,
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
    }
