"""The Teach page: which handler answers to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import gradio as gr

from chatapp.ui.teach.data import DataHandlers
from chatapp.ui.teach.desk import TeachDesk
from chatapp.ui.teach.goals import GoalHandlers
from chatapp.ui.teach.parts import TeachParts, draw_teach
from chatapp.ui.teach.results import ResultHandlers
from chatapp.ui.teach.rooms import TeachRooms
from chatapp.ui.teach.runs import RunHandlers
from chatapp.ui.teach.texts import teach_translations
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


def build_teach_blocks(rooms: TeachRooms) -> gr.Blocks:
    """The page, ready to be mounted at ``/teach`` behind ``StaffGuard``.

    None of its handlers asks again who the reader is: whatever reaches them has passed the guard.
    """
    blocks = gr.Blocks(
        title="Teach · Support assistant",
        analytics_enabled=False,
        fill_height=True,
        fill_width=True,
    )
    desk = TeachDesk(rooms)
    data = DataHandlers(desk)
    with blocks:
        parts = draw_teach(has_password=rooms.has_password, max_bytes=rooms.max_bytes)
        arriving = blocks.load(
            data.arrive,
            [parts.wanted],
            parts.outputs,
            js="() => window.chatapp.wanted()",
            **_QUIET,
        )
        _tell_when_over(arriving, "arrive")
        _wire(parts, _step_1(data) | _step_2(GoalHandlers(desk)))
        _wire(parts, _step_3(RunHandlers(desk)) | _step_4(ResultHandlers(desk)))
    blocks.queue(default_concurrency_limit=_AT_ONCE, api_open=False)
    # Only then does Gradio refuse server paths that a client passes off as its own upload.
    blocks.has_launched = True
    return blocks


def teach_mount_kwargs() -> dict[str, Any]:
    """How the page wants to be mounted by ``gr.mount_gradio_app``."""
    return {
        "theme": theme(),
        "i18n": _translator(),
        # Files come in by HTTP and not through Gradio, which is left with nothing to take.
        "max_file_size": "1kb",
        "show_error": False,
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
    }


def _translator() -> gr.I18n:
    return gr.I18n(**{GRADIO_LOCALES[code]: teach_translations(code) for code in LANGUAGES})


def _wire(parts: TeachParts, handlers: Mapping[str, Any]) -> None:
    """Each event to its handler; the page hears when it is over, however it went."""
    for name, handler in handlers.items():
        heard = getattr(parts.desk, name)(handler, None, parts.outputs, **_QUIET)
        _tell_when_over(heard, name)


def _tell_when_over(heard: Any, name: str) -> None:
    """The page waits for it, however it goes; ``then`` is not called after a failure."""
    over = {"fn": None, "js": f"() => window.chatapp.over('{name}')"} | _QUIET
    heard.success(**over)
    heard.failure(**over)


def _step_1(on: DataHandlers) -> dict[str, Any]:
    return {
        "new": on.new,
        "open_data": on.open,
        "again": on.again,
        "paste": on.paste,
        "corrections": on.corrections,
        "map_columns": on.map_columns,
        "fix": on.fix,
        "unfix": on.unfix,
        "remove_data": on.remove,
        "restore_data": on.restore,
    }


def _step_2(on: GoalHandlers) -> dict[str, Any]:
    return {
        "goal": on.choose,
        "reuse": on.reuse,
        "read_settings": on.read_settings,
        "rephrased": on.rephrased,
        "command": on.command,
        "estimate": on.estimate,
        "estimating": on.estimating,
        "launch": on.launch,
    }


def _step_3(on: RunHandlers) -> dict[str, Any]:
    return {
        "open_run": on.open,
        "watch": on.watch,
        "stop": on.stop,
        "resume": on.resume,
        "discard": on.discard,
        "restore_run": on.restore,
        "compare": on.compare,
    }


def _step_4(on: ResultHandlers) -> dict[str, Any]:
    return {
        "cell": on.cell,
        "relabel": on.relabel,
        "relabel_back": on.relabel_back,
        "gate": on.gate,
        "promote": on.promote,
        "rollback": on.rollback,
        "refresh": on.refresh,
        "remove_adapter": on.remove,
        "restore_adapter": on.restore,
    }
