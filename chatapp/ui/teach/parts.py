"""What the Teach page is made of: its components and where they stand."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import gradio as gr

from chatapp.ui.staff.fixed import top_bar
from chatapp.ui.teach import fixed

# What the page's script may ask for; each is an event of the ``desk`` component.
EVENTS: Final = (
    *("new", "open_data", "again", "paste", "corrections", "map_columns", "fix", "unfix"),
    *("remove_data", "restore_data"),
    *("goal", "reuse", "read_settings", "rephrased", "command", "estimate", "estimating", "launch"),
    *("open_run", "watch", "stop", "resume", "discard", "restore_run", "compare"),
    *("cell", "relabel", "relabel_back", "gate", "promote", "rollback"),
    *("refresh", "remove_adapter", "restore_adapter"),
)
_ON_LOAD: Final = f"""
const events = {list(EVENTS)};
window.chatapp.connect((event, data) => {{ if (events.includes(event)) trigger(event, data); }});
"""


@dataclass(frozen=True, slots=True)
class TeachParts:
    """The components.

    Attributes:
        desk: hears what the page's script asks for.
        wanted: what the page's address names, when it is opened.
    """

    desk: gr.HTML
    wanted: gr.Textbox
    source: gr.HTML
    checks: gr.HTML
    goal: gr.HTML
    extra: gr.HTML
    estimate: gr.HTML
    run: gr.HTML
    verdict: gr.HTML
    gate: gr.HTML
    result: gr.HTML
    cell: gr.HTML
    history: gr.HTML
    comparison: gr.HTML
    notice: gr.HTML

    @property
    def outputs(self) -> list[gr.components.Component]:
        """In the order of ``TeachScreen``'s fields."""
        own = ("desk", "wanted")
        return [getattr(self, one.name) for one in fields(self) if one.name not in own]


def draw_teach(*, has_password: bool, max_bytes: int) -> TeachParts:
    """Draw the page inside the Blocks that are being built."""
    drawn: dict[str, gr.HTML] = {}

    def html(name: str, value: str = "") -> None:
        drawn[name] = _html(value, name)

    with gr.Row(elem_id="shell", elem_classes=["staff", "teach"], equal_height=False):
        with gr.Row(elem_id="topbar"):
            _html(top_bar(has_password=has_password, current="teach", menu=False), "top")
        with gr.Column(elem_id="main", min_width=0):
            _html(fixed.INTRO, "intro")
            html("notice")
            html("comparison")
            for step, inside in fixed.STEPS.items():
                with gr.Column(elem_id=f"step-{step}", elem_classes=["step"], min_width=0):
                    _html(fixed.step_head(step), f"head-{step}")
                    with gr.Column(elem_classes=["step-body"], min_width=0):
                        if step == "data":
                            _html(fixed.adding(max_bytes), "adding")
                        for name in inside:
                            html(name)
        with gr.Column(elem_id="sidebar", min_width=0):
            _html(fixed.HISTORY_HEAD, "history-head")
            html("history")
    desk = gr.HTML(html_template="", js_on_load=_ON_LOAD, visible="hidden", elem_id="desk")
    wanted = gr.Textbox(visible="hidden", elem_id="wanted")
    return TeachParts(desk=desk, wanted=wanted, **drawn)


def _html(value: str, elem_id: str) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, js_on_load=None, apply_default_css=False)
