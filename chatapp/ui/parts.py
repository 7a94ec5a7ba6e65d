"""What the Chat tab is made of: its components and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import gradio as gr

from chatapp.ui.compare_parts import CompareParts, draw_compare
from chatapp.ui.header import (
    BRAND,
    HINT,
    MENU,
    PANEL_HEAD,
    SOURCES_HEAD,
    TOOLS,
    TRANSFER,
)
from chatapp.ui.screen import RANGES

LATEX: Final[list[dict[str, str | bool]]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]

# What the page's script may ask for; each is an event of the ``turns`` component.
_ON_LOAD: Final = """
const events = ['open', 'retry', 'edit', 'undo', 'show', 'like', 'stop', 'new',
                'rename', 'delete', 'restore', 'export', 'sheet', 'feedback', 'withdraw',
                'compare', 'compare_stop', 'vote', 'unvote'];
window.chatapp.connect((event, data) => { if (events.includes(event)) trigger(event, data); });
window.chatapp.turns(props.value);
watch('value', () => window.chatapp.turns(props.value));
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that handlers read and write."""

    chatbot: gr.Chatbot
    turns: gr.HTML
    current: gr.Textbox
    adapter: gr.Textbox
    composer: gr.Textbox
    send: gr.Button
    stop: gr.Button
    sent: gr.Textbox
    new: gr.Button
    search: gr.Textbox
    conversations: gr.HTML
    staff: gr.HTML
    staff_tools: gr.HTML
    compare: CompareParts
    sheet: gr.HTML
    welcome: gr.HTML
    notice: gr.HTML
    model_line: gr.HTML
    persona: gr.Dropdown
    instructions: gr.Textbox
    controls: Sequence[gr.components.Component]
    upload: gr.UploadButton
    download: gr.Textbox

    @property
    def outputs(self) -> list[gr.components.Component]:
        """In the order of ``Screen``'s fields."""
        return [
            self.chatbot,
            self.turns,
            self.current,
            self.composer,
            self.conversations,
            self.welcome,
            self.notice,
            self.model_line,
            self.persona,
            self.instructions,
            *self.controls,
        ]


def draw_chat(i18n: gr.I18n, choices: Sequence[tuple[str, str]]) -> Parts:
    """Draw the tab inside the Blocks that are being built. ``choices``: the personas."""
    with gr.Row(elem_id="shell", equal_height=False):
        with gr.Column(elem_id="sidebar", min_width=0):
            new, search, conversations, staff, model_line = _draw_sidebar(i18n)
        with gr.Column(elem_id="main", min_width=0):
            with gr.Row(elem_id="topbar"):
                _html(MENU, "menu")
                persona = gr.Dropdown(
                    choices,
                    label=i18n("persona"),
                    elem_id="persona",
                    container=False,
                    filterable=False,
                )
                _html(TOOLS, "tools")
            notice = _html("", "notice")
            welcome = _html("", "welcome")
            chatbot = gr.Chatbot(
                elem_id="thread",
                show_label=False,
                container=False,
                height=None,
                layout="panel",
                buttons=[],
                feedback_options=None,
                latex_delimiters=LATEX,
                group_consecutive_messages=False,
                autoscroll=True,
                allow_tags=False,
                sanitize_html=True,
            )
            composer, send, stop = _draw_composer(i18n)
            compare = draw_compare()
        with gr.Column(elem_id="sources", min_width=0):
            _html(SOURCES_HEAD, "sources-head")
            sheet = _html("", "sheet")
        with gr.Column(elem_id="settings", min_width=0):
            _html(PANEL_HEAD, "settings-head")
            staff_tools = _html("", "staff-tools")
            instructions, controls, upload = _draw_settings(i18n)
    return Parts(
        chatbot=chatbot,
        turns=gr.HTML(html_template="", js_on_load=_ON_LOAD, visible="hidden", elem_id="turns"),
        current=gr.Textbox(visible="hidden", elem_id="current"),
        adapter=gr.Textbox(visible="hidden", elem_id="adapter"),
        sent=gr.Textbox(visible="hidden", elem_id="sent"),
        download=gr.Textbox(visible="hidden", elem_id="download"),
        composer=composer,
        send=send,
        stop=stop,
        new=new,
        search=search,
        conversations=conversations,
        staff=staff,
        staff_tools=staff_tools,
        compare=compare,
        sheet=sheet,
        welcome=welcome,
        notice=notice,
        model_line=model_line,
        persona=persona,
        instructions=instructions,
        controls=controls,
        upload=upload,
    )


def _draw_sidebar(i18n: gr.I18n) -> tuple[gr.Button, gr.Textbox, gr.HTML, gr.HTML, gr.HTML]:
    _html(BRAND, "brand")
    new = gr.Button(i18n("new_chat"), elem_id="new", variant="secondary")
    search = gr.Textbox(
        label=i18n("search"),
        show_label=False,
        placeholder=i18n("search"),
        container=False,
        elem_id="search",
        max_lines=1,
    )
    conversations = _html("", "conversations")
    staff = _html("", "staff")
    model_line = _html("", "model-line")
    return new, search, conversations, staff, model_line


def _draw_composer(i18n: gr.I18n) -> tuple[gr.Textbox, gr.Button, gr.Button]:
    with gr.Row(elem_id="composer-row"):
        composer = gr.Textbox(
            label=i18n("composer"),
            show_label=False,
            placeholder=i18n("composer_hint"),
            container=False,
            lines=1,
            max_lines=10,
            autofocus=True,
            elem_id="composer",
        )
        send = gr.Button(i18n("send"), variant="primary", elem_id="send", min_width=0)
        stop = gr.Button(i18n("stop"), variant="stop", elem_id="stop", min_width=0)
    _html(HINT, "hint")
    return composer, send, stop


def _draw_settings(
    i18n: gr.I18n,
) -> tuple[gr.Textbox, Sequence[gr.components.Component], gr.UploadButton]:
    instructions = gr.Textbox(
        label=i18n("instructions"),
        info=i18n("instructions_help"),
        lines=6,
        max_lines=16,
        elem_id="instructions",
    )
    with gr.Accordion(i18n("sampling"), open=False, elem_id="sampling"):
        controls = [
            *(_slider(name, i18n) for name in RANGES),
            gr.Number(label=i18n("seed"), info=i18n("seed_help"), precision=0, value=None),
        ]
    _html(TRANSFER, "transfer")
    upload = gr.UploadButton(
        i18n("import"),  # type: ignore[arg-type]  # works like everywhere else
        file_types=[".json"],
        type="binary",
        elem_id="import",
        variant="secondary",
        size="md",
    )
    return instructions, controls, upload


def _slider(name: str, i18n: gr.I18n) -> gr.Slider:
    low, high, step = RANGES[name]
    # Without its reset button, which would go back to this page's first persona.
    return gr.Slider(low, high, step=step, label=i18n(name), info=i18n(f"{name}_help"), buttons=[])


def _html(value: str, elem_id: str) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, js_on_load=None, apply_default_css=False)
