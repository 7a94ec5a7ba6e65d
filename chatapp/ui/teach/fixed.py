"""The fixed bits of HTML of the Teach page; its script fills their texts in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from chatapp.ui.staff.icons import sign

FORMATS: Final = ".csv,.tsv,.json,.jsonl,.ndjson,.xlsx,.parquet,.txt,.md,.zip"
STEPS: Final[Mapping[str, Sequence[str]]] = {
    "data": ("source", "checks"),
    "goal": ("goal", "extra", "estimate"),
    "run": ("run",),
    "result": ("verdict", "gate", "result", "cell"),
}
"""The steps in their order, each with the parts that are drawn in it."""

INTRO: Final = (
    '<div class="intro"><h1 data-text="teach_title"></h1><p data-text="teach_help"></p></div>'
)
HISTORY_HEAD: Final = (
    '<div class="side-head"><h2 data-text="history"></h2><button type="button" class="plain" '
    f'data-do="new">{sign("plus")}<span data-text="new_lesson"></span></button></div>'
    f'<input type="file" id="pick-adapter" hidden accept=".zip">'
)


def step_head(step: str) -> str:
    """Number, name and one-line summary; a press folds the step or opens it."""
    number = list(STEPS).index(step) + 1
    return (
        f'<h2 class="step-head"><button type="button" data-do="fold" data-step="{step}" '
        f'aria-expanded="false"><span class="number"><span>{number}</span>{sign("check")}</span>'
        f'<span class="name" data-text="step_{step}"></span>'
        f'<span class="summary"></span>{sign("down")}</button></h2>'
    )


def adding(max_bytes: int) -> str:
    """The drop zone and its buttons; ``max_bytes`` is the largest file that is taken in."""
    return (
        f'<div class="adding" data-most="{max_bytes}"><div class="adding-text">'
        '<strong data-text="add_data"></strong><span data-text="add_data_hint"></span></div>'
        '<div class="adding-acts">'
        f"{_button('pick-data', 'upload', 'choose_file', 'solid')}"
        f"{_button('paste-rows', 'text', 'paste_rows')}</div>"
        f'<input type="file" id="pick-data" hidden accept="{FORMATS}"></div>'
        '<form class="card paste" data-form="paste" hidden><label><span data-text="paste_name">'
        '</span><input name="name" maxlength="200" value="pasted.csv"></label>'
        '<label><span data-text="paste_content"></span><textarea name="text" rows="8" required>'
        '</textarea><small data-text="paste_help"></small></label>'
        '<div class="card-acts"><button type="button" class="plain" data-do="close-paste" '
        'data-text="cancel"></button><button type="submit" class="solid" data-text="add"></button>'
        '</div></form><div id="uploads" role="status"></div>'
    )


def _button(do: str, icon: str, key: str, kind: str = "plain") -> str:
    return (
        f'<button type="button" class="{kind}" data-do="{do}">{sign(icon)}'
        f'<span data-text="{escape(key)}"></span></button>'
    )
