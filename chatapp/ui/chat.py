"""The Chat tab: which handler answers to what."""

from __future__ import annotations

from typing import Any, Final

import gradio as gr

from chatapp.ui.compare_handlers import CompareHandlers
from chatapp.ui.feedback_handlers import FeedbackHandlers
from chatapp.ui.handlers import ChatHandlers
from chatapp.ui.parts import Parts, draw_chat
from chatapp.ui.shelf import Shelf
from chatapp.ui.shelf_handlers import ShelfHandlers
from chatapp.ui.source_handlers import SourceHandlers
from chatapp.ui.texts import Words

# Every event of a kind is heard. Gradio would otherwise drop one that comes while the last of its
# kind is being closed: a question typed as soon as the answer stands there would be lost.
_QUIET: Final[dict[str, Any]] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "trigger_mode": "multiple",
}
_LATEST: Final = _QUIET | {"trigger_mode": "always_last"}


def build_chat(blocks: gr.Blocks, shelf: Shelf, i18n: gr.I18n) -> None:
    """Draw the tab and wire it, inside the Blocks that are being built."""
    parts = draw_chat(i18n, shelf.choices(Words("en")))
    _wire_answers(blocks, parts, ChatHandlers(shelf))
    _wire_shelf(parts, ShelfHandlers(shelf))
    _wire_sources(parts, SourceHandlers(shelf))
    _wire_feedback(parts, FeedbackHandlers(shelf))
    _wire_compare(blocks, parts, CompareHandlers(shelf))


def _wire_answers(blocks: gr.Blocks, parts: Parts, on: ChatHandlers) -> None:
    outputs, controls = parts.outputs, list(parts.controls)
    turns = parts.turns
    blocks.load(on.open, [parts.current], outputs, js="() => window.chatapp.wanted()", **_QUIET)
    blocks.unload(on.leave)
    turns.open(on.open_picked, None, outputs, **_QUIET)
    # The text leaves the composer at once, in the browser; then the question is asked.
    asking = gr.on(
        [parts.composer.submit, parts.send.click],
        None,
        [parts.composer],
        [parts.composer, parts.sent],
        js="(text) => window.chatapp.take(text)",
        **_QUIET,
    )
    question = [parts.current, parts.persona]
    asked: dict[str, Any] = {
        "fn": on.send,
        "inputs": [parts.sent, *question, parts.instructions, parts.adapter, *controls],
        "outputs": outputs,
    }
    asking.success(**asked, js=_with_adapter(4), **_QUIET)
    again = [*question, parts.adapter, *controls]
    turns.retry(on.retry, again, outputs, js=_with_adapter(2), **_QUIET)
    turns.edit(on.edit, again, outputs, js=_with_adapter(2), **_QUIET)
    # Not queued, so that it is heard while the answer's own event still runs.
    parts.stop.click(on.stop, [parts.current], None, queue=False, **_QUIET)
    turns.stop(on.stop, [parts.current], None, queue=False, **_QUIET)
    turns.undo(on.undo, [parts.current], outputs, **_QUIET)
    turns.show(on.show, [parts.current], outputs, **_QUIET)


def _with_adapter(before: int) -> str:
    """Puts what staff have picked, which the page alone knows, behind ``before`` other inputs."""
    return (
        f"(...values) => [...values.slice(0, {before}), window.chatapp.adapter(), "
        f"...values.slice({before} + 1)]"
    )


def _wire_shelf(parts: Parts, on: ShelfHandlers) -> None:
    outputs, turns = parts.outputs, parts.turns
    for asks_for_new in (parts.new.click, turns.new):
        # At once, so that a question typed quickly does not land in the old conversation.
        asks_for_new(None, None, [parts.current], js="() => ''", **_QUIET)
        asks_for_new(on.new, [parts.persona], outputs, **_QUIET)
    # Not ``input``, which hears keys but no pasted text.
    parts.search.change(on.search, [parts.search], [parts.conversations], **_LATEST)
    turns.rename(on.rename, None, [parts.conversations], **_QUIET)
    turns.delete(on.delete, [parts.current, parts.persona], outputs, **_QUIET)
    turns.restore(on.restore, None, outputs, **_QUIET)
    parts.persona.input(on.choose_persona, [parts.persona, parts.current], outputs, **_QUIET)
    parts.instructions.blur(
        on.save_instructions, [parts.instructions, parts.current], [parts.notice], **_QUIET
    )
    # Not queued: its answer is not to depend on the stream that the last event is just closing.
    turns.export(on.export, [parts.current], [parts.download], queue=False, **_QUIET).success(
        None, [parts.download], None, js="(file) => window.chatapp.save(file)", **_QUIET
    )
    parts.upload.upload(on.take_in, [parts.upload], outputs, **_QUIET)


def _wire_sources(parts: Parts, on: SourceHandlers) -> None:
    # Not queued: the panel is to open at once while an answer is being written.
    parts.turns.sheet(on.sheet, [parts.current], [parts.sheet], queue=False, **_QUIET).failure(
        None, None, None, js="() => window.chatapp.closeSources()", **_QUIET
    )


def _wire_feedback(parts: Parts, on: FeedbackHandlers) -> None:
    turns, outputs, current = parts.turns, parts.outputs, [parts.current]
    turns.like(on.like, current, outputs, **_QUIET)
    # Not queued: the form is told at once whether it can close, also while an answer is written.
    turns.feedback(on.give, current, outputs, queue=False, **_QUIET).failure(
        None, None, None, js="() => window.chatapp.feedback.failed()", **_QUIET
    )
    turns.withdraw(on.withdraw, current, outputs, queue=False, **_QUIET)


def _wire_compare(blocks: gr.Blocks, parts: Parts, on: CompareHandlers) -> None:
    turns, compare = parts.turns, parts.compare
    # Not queued: the page's first event must not lose its stream to one that ends while it begins.
    tools = [parts.staff, parts.staff_tools, compare.form]
    blocks.load(on.staff, None, tools, queue=False, **_QUIET)
    asked = [parts.persona, parts.instructions, *parts.controls]
    asking = turns.compare(on.ask, asked, compare.outputs, **_QUIET)
    for ended in (asking.success, asking.failure):
        ended(None, None, None, js="() => window.chatapp.compare.ended()", **_QUIET)
    turns.compare_stop(on.stop, None, None, queue=False, **_QUIET)
    turns.vote(on.vote, None, compare.outputs, **_QUIET)
    turns.unvote(on.unvote, None, compare.outputs, **_QUIET)
