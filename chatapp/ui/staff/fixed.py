"""The fixed bits of HTML of the Knowledge page, and the top bar of every staff page.

``data-text`` and ``data-label`` name texts, which the page's script fills in, as in the chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from chatapp.ui.staff.icons import sign
from chatapp.ui.texts import LANGUAGES

FORMATS: Final = (
    ".pdf,.docx,.pptx,.xlsx,.csv,.html,.htm,.md,.markdown,.txt,.json,.jsonl,.eml,.zip,.xml,.rst"
)

PAGES: Final[Mapping[str, str]] = {
    "chat": "/",
    "knowledge": "/staff/",
    "teach": "/teach/",
    "review": "/review/",
}
"""The staff's pages in the order of the top bar: the name of each one's text, and its address."""
_HERE: Final = ' aria-current="page"'
_WAITING: Final = '<span class="waiting" data-waiting hidden></span>'

_LANGUAGE_BUTTONS: Final = "".join(
    f'<button type="button" data-language="{code}" lang="{code}">{escape(name)}</button>'
    for code, name in LANGUAGES.items()
)


def _tool(do: str, icon: str, label: str) -> str:
    return (
        f'<button type="button" class="quiet tool-{do}" data-do="{do}" data-label="{label}">'
        f"{sign(icon)}</button>"
    )


def _button(do: str, icon: str, key: str, kind: str = "plain") -> str:
    shown = f"{sign(icon)}" if icon else ""
    return (
        f'<button type="button" class="{kind}" data-do="{do}">{shown}'
        f'<span data-text="{key}"></span></button>'
    )


def top_bar(*, has_password: bool, current: str = "knowledge", menu: bool = True) -> str:
    """Brand, pages, and the reader's switches; a way out where there is a password.

    Args:
        current: the page it stands on, by its name in ``PAGES``.
        menu: whether the page has a drawer beside it that a phone opens from here.
    """
    leave = (
        '<form method="post" action="/staff/logout"><button type="submit" class="quiet" '
        f'data-label="sign_out">{sign("leave")}</button></form>'
        if has_password
        else ""
    )
    return (
        f'<div class="top">{_tool("menu", "menu", "collections") if menu else ""}'
        '<a class="brand" href="/"><span class="mark" aria-hidden="true"></span>'
        '<span class="brand-name" data-text="app_name"></span></a>'
        f'<nav class="pages" data-label="pages">{_links(current)}</nav>'
        '<div class="tools"><span class="languages" role="group" data-label="language">'
        f"{_LANGUAGE_BUTTONS}</span>{_tool('theme', 'theme', 'switch_theme')}{leave}</div></div>"
    )


def _links(current: str) -> str:
    return "".join(
        f'<a href="{path}"{_HERE if name == current else ""}><span data-text="{name}"></span>'
        f"{_WAITING if name == 'review' else ''}</a>"
        for name, path in PAGES.items()
    )


def adding(max_bytes: int) -> str:
    """The drop zone and its buttons; ``max_bytes`` is the largest file that is taken in."""
    return f'<div class="adding" data-most="{max_bytes}">{_ADDING}'


COLLECTIONS_HEAD: Final = (
    '<div class="side-head"><h2 data-text="collections"></h2>'
    f"{_tool('new-collection', 'plus', 'new_collection')}</div>"
)
_ADDING: Final = (
    '<div class="adding-text"><strong data-text="add_documents"></strong>'
    '<span data-text="drop_hint"></span></div><div class="adding-acts">'
    f"{_button('pick-files', 'upload', 'choose_files', 'solid')}"
    f"{_button('pick-folder', 'folder', 'choose_folder')}"
    f"{_button('paste', 'text', 'paste_text')}</div>"
    f'<input type="file" id="pick-files" multiple hidden accept="{FORMATS}">'
    '<input type="file" id="pick-folder" webkitdirectory hidden></div>'
    '<form class="card paste" data-form="paste" hidden><label><span data-text="paste_title">'
    '</span><input name="title" required maxlength="200"></label>'
    '<label><span data-text="paste_content"></span><textarea name="text" rows="8" required>'
    '</textarea></label><div class="card-acts"><button type="button" class="plain" '
    'data-do="close-form" data-text="cancel"></button><button type="submit" class="solid" '
    'data-text="add"></button></div></form><div id="uploads" role="status"></div>'
)
FAQ_TOOLS: Final = (
    '<div class="faq-tools"><p data-text="faq_help"></p><div class="adding-acts">'
    f"{_button('new-entry', 'plus', 'new_entry', 'solid')}"
    f"{_button('import-faq', 'upload', 'import_faq')}"
    f'<details class="menu"><summary class="plain">{sign("down")}<span data-text="export_faq">'
    '</span></summary><div class="menu-list">'
    '<a data-export="csv" download>CSV</a><a data-export="xlsx" download>Excel</a>'
    '<a data-export="json" download>JSON</a></div></details></div>'
    '<input type="file" id="pick-faq" hidden accept=".csv,.xlsx,.json,.jsonl,.txt"></div>'
    '<div id="new-entry"></div>'
    '<template id="entry-form"><form class="card entry" data-form="entry">'
    '<p class="note" hidden></p>'
    '<label><span data-text="form_questions"></span><textarea name="questions" rows="3" required>'
    '</textarea><small data-text="form_questions_help"></small></label>'
    '<label><span data-text="form_answer"></span><textarea name="answer" rows="5" required>'
    '</textarea><small data-text="form_answer_help"></small></label>'
    '<div class="pair"><label><span data-text="form_language"></span><input name="language" '
    'maxlength="16" placeholder="en"></label><label><span data-text="form_tags"></span>'
    '<input name="tags" maxlength="300"></label></div>'
    '<div class="card-acts"><button type="button" class="plain" data-do="close-form" '
    'data-text="cancel"></button><button type="submit" class="solid" data-text="save"></button>'
    "</div></form></template>"
)
TRY_LEAD: Final = '<p class="lead" data-text="try_help"></p>'
