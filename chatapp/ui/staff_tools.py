"""What staff find among the chat's settings: who answers, and the way to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatapp.training_records import Adapter
from chatapp.ui.compare_html import adapter_options
from chatapp.ui.texts import Words


def staff_tools(adapters: Sequence[Adapter], words: Words, *, can_compare: bool) -> str:
    """The picker and the button."""
    compare = (
        f'<button type="button" data-do="compare">{escape(words("compare"))}</button>'
        if can_compare
        else ""
    )
    return (
        f'<section class="staff-tools"><h3>{escape(words("staff_only"))}</h3>'
        f"<label><span>{escape(words('who_answers'))}</span>"
        f"<select data-adapter>{adapter_options(adapters, words)}</select>"
        f"<small>{escape(words('who_answers_help'))}</small></label>{compare}</section>"
    )
