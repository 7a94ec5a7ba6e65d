"""A quiet bar about what just happened, with its undo where there is one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from html import escape

from chatapp.ui.staff.icons import sign
from chatapp.ui.staff.texts import StaffWords


def notice(text: str, words: StaffWords, *, undo: str = "", ids: Sequence[str] = ()) -> str:
    """The bar; each has a key of its own, as the page draws nothing when it gets the same again.

    Args:
        undo: the event that takes it back, triggered with ``ids``.
    """
    back = (
        f'<button type="button" data-do="undo" data-event="{escape(undo)}" '
        f'data-ids="{escape(json.dumps(list(ids)))}">{escape(words("restore"))}</button>'
        if undo
        else ""
    )
    dismiss = escape(words("dismiss"))
    return (
        f'<div class="notice" role="status" data-key="{secrets.token_hex(4)}">'
        f"<span>{escape(text)}</span>{back}"
        f'<button type="button" class="quiet" data-do="dismiss" aria-label="{dismiss}" '
        f'title="{dismiss}">{sign("close")}</button></div>'
    )
