"""The fixed bits of HTML around the chat.

Gradio translates whole labels but not the insides of HTML, so these carry the keys of their texts
(``data-text``, ``data-label``) and the page's script fills them in.
"""

from __future__ import annotations

from html import escape
from typing import Final

from chatapp.ui.icons import icon
from chatapp.ui.texts import LANGUAGES


def _tool(do: str, sign: str, label: str) -> str:
    return (
        f'<button type="button" class="quiet tool-{do}" data-do="{do}" data-label="{label}">'
        f"{icon(sign)}</button>"
    )


_LANGUAGE_BUTTONS: Final = "".join(
    f'<button type="button" data-language="{code}" lang="{code}">{escape(name)}</button>'
    for code, name in LANGUAGES.items()
)
MENU: Final = _tool("menu", "menu", "conversations")
TOOLS: Final = (
    '<div class="tools"><span id="answers-as"></span>'
    '<span class="languages" role="group" data-label="language">'
    f"{_LANGUAGE_BUTTONS}</span>{_tool('theme', 'theme', 'switch_theme')}"
    f"{_tool('settings', 'sliders', 'settings')}</div>"
)
BRAND: Final = (
    '<p class="brand"><span class="mark" aria-hidden="true"></span>'
    '<span data-text="app_name"></span></p>'
)
HINT: Final = (
    '<p class="hint"><span class="keys"><span data-text="keys"></span> · </span>'
    '<span data-text="mistakes"></span></p>'
)
PANEL_HEAD: Final = (
    '<div class="panel-head"><h2 data-text="settings"></h2>'
    f'<button type="button" class="quiet" data-do="settings" data-label="close_settings">'
    f"{icon('close')}</button></div>"
)
SOURCES_HEAD: Final = (
    '<div class="panel-head"><div class="tabs" role="tablist" data-label="sources_panel">'
    '<button type="button" role="tab" id="tab-sources" data-do="view" data-view="sources" '
    'aria-controls="view-sources" data-text="sources"></button>'
    '<button type="button" role="tab" id="tab-trace" data-do="view" data-view="trace" '
    'aria-controls="view-trace" data-text="why_this_answer"></button></div>'
    '<button type="button" class="quiet" data-do="close-sources" data-label="close_sources">'
    f"{icon('close')}</button></div>"
    '<p class="loading" role="status" data-text="sources_loading"></p>'
)
TRANSFER: Final = (
    '<h3 data-text="transfer"></h3><div class="transfer">'
    '<button type="button" data-do="export" data-format="markdown" data-text="export_markdown">'
    '</button><button type="button" data-do="export" data-format="json" data-text="export_json">'
    "</button></div>"
)
