"""Where two answers are compared: the components, and what a handler may change of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import gradio as gr

from chatapp.ui.icons import icon

_HEAD: Final = (
    '<div class="panel-head"><h2 data-text="compare"></h2>'
    '<button type="button" class="quiet" data-do="close-compare" data-label="close_compare">'
    f"{icon('close')}</button></div>"
)


@dataclass(frozen=True, slots=True)
class CompareParts:
    """In the order of ``CompareScreen``'s fields."""

    form: gr.HTML
    left_head: gr.HTML
    left: gr.Markdown
    right_head: gr.HTML
    right: gr.Markdown
    verdict: gr.HTML

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What handlers write."""
        return [
            self.form,
            self.left_head,
            self.left,
            self.right_head,
            self.right,
            self.verdict,
        ]


@dataclass(frozen=True, slots=True)
class CompareScreen:
    """One frame; None leaves a part as it is."""

    form: str | None = None
    left_head: str | None = None
    left: str | None = None
    right_head: str | None = None
    right: str | None = None
    verdict: str | None = None

    def values(self) -> list[object]:
        """One value an output."""
        parts = (
            self.form,
            self.left_head,
            self.left,
            self.right_head,
            self.right,
            self.verdict,
        )
        return [gr.skip() if part is None else part for part in parts]


def draw_compare() -> CompareParts:
    """Draw it, hidden until staff open it, inside the column that is being built."""
    with gr.Column(elem_id="compare", min_width=0):
        _html(_HEAD, "compare-head")
        form = _html("", "compare-form")
        with gr.Row(elem_id="compare-sides", equal_height=False):
            with gr.Column(elem_classes=["side"], min_width=0):
                left_head = _html("", "left-head")
                left = _answer("left-answer")
            with gr.Column(elem_classes=["side"], min_width=0):
                right_head = _html("", "right-head")
                right = _answer("right-answer")
        verdict = _html("", "compare-verdict")
    return CompareParts(form, left_head, left, right_head, right, verdict)


def _answer(elem_id: str) -> gr.Markdown:
    return gr.Markdown("", elem_id=elem_id, sanitize_html=True, container=False)


def _html(value: str, elem_id: str) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, js_on_load=None, apply_default_css=False)
