"""What the Review page is made of: its components and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import gradio as gr

from chatapp.ui.review.filters import examples_filter, queue_filter
from chatapp.ui.staff.fixed import top_bar

# What the page's script may ask for; each is an event of the ``desk`` component.
EVENTS: Final = (
    *("filter", "approve", "to_faq", "missing_document", "reject", "undo"),
    *("edit_example", "unedit_example", "delete_example", "restore_example", "numbers"),
)
_ON_LOAD: Final = f"""
const events = {list(EVENTS)};
window.chatapp.connect((event, data) => {{ if (events.includes(event)) trigger(event, data); }});
"""


@dataclass(frozen=True, slots=True)
class ReviewParts:
    """The components that handlers read and write."""

    desk: gr.HTML
    head: gr.HTML
    notice: gr.HTML
    queue: gr.HTML
    examples: gr.HTML
    numbers: gr.HTML

    @property
    def outputs(self) -> list[gr.components.Component]:
        """In the order of ``ReviewScreen``'s fields."""
        return [self.head, self.notice, self.queue, self.examples, self.numbers]


def draw_review(*, has_password: bool) -> ReviewParts:
    """Draw the page inside the Blocks that are being built."""
    bar = top_bar(has_password=has_password, current="review", menu=False)
    with gr.Row(elem_id="shell", elem_classes=["staff", "alone"], equal_height=False):
        with gr.Row(elem_id="topbar"):
            _html(bar, "top")
        with gr.Column(elem_id="main", min_width=0):
            head = _html("", "head")
            notice = _html("", "notice")
            with gr.Column(elem_id="panel-queue", elem_classes=["pane"]):
                _html(queue_filter(), "queue-filter")
                queue = _html("", "queue")
            with gr.Column(elem_id="panel-examples", elem_classes=["pane"]):
                _html(examples_filter(), "examples-filter")
                examples = _html("", "examples")
            with gr.Column(elem_id="panel-numbers", elem_classes=["pane"]):
                numbers = _html("", "numbers")
    desk = gr.HTML(html_template="", js_on_load=_ON_LOAD, visible="hidden", elem_id="desk")
    return ReviewParts(desk, head, notice, queue, examples, numbers)


def _html(value: str, elem_id: str) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, js_on_load=None, apply_default_css=False)
