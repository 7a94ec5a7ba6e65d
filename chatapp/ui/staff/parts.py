"""What the Knowledge page is made of: its components and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import gradio as gr

from chatapp.ui.staff import fixed

# What the page's script may ask for; each is an event of the ``desk`` component.
EVENTS: Final = (
    *("open", "create", "rename", "remove", "bring_back"),
    *("refresh", "delete_documents", "restore_documents", "paste", "stop_intake", "clear"),
    *("demo", "save_entry", "delete_entries", "restore_entries", "reload_faq"),
    *("thresholds", "unanswered", "draft", "dismiss_group", "undismiss", "answered"),
)
_ON_LOAD: Final = f"""
const events = {list(EVENTS)};
window.chatapp.connect((event, data) => {{ if (events.includes(event)) trigger(event, data); }});
"""


@dataclass(frozen=True, slots=True)
class StaffParts:
    """The components that handlers read and write."""

    desk: gr.HTML
    current: gr.Textbox
    collections: gr.HTML
    head: gr.HTML
    documents: gr.HTML
    faq: gr.HTML
    hits: gr.HTML
    groups: gr.HTML
    notice: gr.HTML
    document_search: gr.Textbox
    faq_search: gr.Textbox
    question: gr.Textbox
    attempt: gr.Button

    @property
    def outputs(self) -> list[gr.components.Component]:
        """In the order of ``StaffScreen``'s fields."""
        return [
            self.current,
            self.collections,
            self.head,
            self.documents,
            self.faq,
            self.hits,
            self.groups,
            self.notice,
        ]


def draw_staff(i18n: gr.I18n, *, has_password: bool, max_bytes: int) -> StaffParts:
    """Draw the page inside the Blocks that are being built."""
    with gr.Row(elem_id="shell", elem_classes=["staff"], equal_height=False):
        with gr.Row(elem_id="topbar"):
            _html(fixed.top_bar(has_password=has_password), "top")
        with gr.Column(elem_id="sidebar", min_width=0):
            _html(fixed.COLLECTIONS_HEAD, "collections-head")
            collections = _html("", "collections")
        with gr.Column(elem_id="main", min_width=0):
            head = _html("", "head")
            notice = _html("", "notice")
            with gr.Column(elem_id="panel-documents", elem_classes=["pane"]):
                _html(fixed.adding(max_bytes), "adding")
                document_search = _search(i18n, "search_documents")
                documents = _html("", "documents")
            with gr.Column(elem_id="panel-faq", elem_classes=["pane"]):
                _html(fixed.FAQ_TOOLS, "faq-tools")
                faq_search = _search(i18n, "search_faq")
                faq = _html("", "faq")
            with gr.Column(elem_id="panel-try", elem_classes=["pane"]):
                question, attempt = _draw_attempt(i18n)
                hits = _html("", "hits")
            with gr.Column(elem_id="panel-unanswered", elem_classes=["pane"]):
                groups = _html("", "groups")
    return StaffParts(
        desk=gr.HTML(html_template="", js_on_load=_ON_LOAD, visible="hidden", elem_id="desk"),
        current=gr.Textbox(visible="hidden", elem_id="current"),
        collections=collections,
        head=head,
        documents=documents,
        faq=faq,
        hits=hits,
        groups=groups,
        notice=notice,
        document_search=document_search,
        faq_search=faq_search,
        question=question,
        attempt=attempt,
    )


def _draw_attempt(i18n: gr.I18n) -> tuple[gr.Textbox, gr.Button]:
    _html(fixed.TRY_LEAD, "try-lead")
    with gr.Row(elem_id="attempt"):
        question = gr.Textbox(
            label=i18n("question"),
            show_label=False,
            placeholder=i18n("question_hint"),
            container=False,
            max_lines=1,
            elem_id="question",
        )
        attempt = gr.Button(i18n("try"), variant="primary", elem_id="try", min_width=0)
    return question, attempt


def _search(i18n: gr.I18n, key: str) -> gr.Textbox:
    return gr.Textbox(
        label=i18n(key),
        show_label=False,
        placeholder=i18n(key),
        container=False,
        max_lines=1,
        elem_id=key.replace("_", "-"),
        elem_classes=["search"],
    )


def _html(value: str, elem_id: str) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, js_on_load=None, apply_default_css=False)
