"""The conversation list, as HTML."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from html import escape
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chatapp.records import Conversation
from chatapp.ui.icons import icon
from chatapp.ui.texts import Words

_STAFF_PAGES: Final = (
    ("staff", "knowledge", "book"),
    ("teach", "teach", "teach"),
    ("review", "review", "review"),
)


def timezone_of(cookie: str | None) -> tzinfo:
    """The reader's time zone as their browser named it; UTC when unknown."""
    try:
        return ZoneInfo((cookie or "UTC").replace("%2F", "/"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def conversation_list(
    conversations: Sequence[Conversation],
    current: str,
    search: str,
    words: Words,
    zone: tzinfo,
    now: datetime | None = None,
) -> str:
    """Conversations grouped into today and earlier; ``current`` is marked."""
    if not conversations:
        found = words("nothing_found", search=search) if search else words("no_conversations")
        return f'<p class="none">{escape(found)}</p>'
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    groups: dict[str, list[Conversation]] = {"today": [], "earlier": []}
    for conversation in conversations:
        day = _aware(conversation.updated_at).astimezone(zone).date()
        groups["today" if day >= today else "earlier"].append(conversation)
    return "".join(
        f'<h2 id="group-{name}">{escape(words(name))}</h2>'
        f'<ul aria-labelledby="group-{name}">'
        + "".join(_row(conversation, current, words) for conversation in group)
        + "</ul>"
        for name, group in groups.items()
        if group
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _row(conversation: Conversation, current: str, words: Words) -> str:
    title = conversation.title or words("untitled")
    here = ' aria-current="true"' if conversation.id == current else ""

    def action(do: str, label: str, sign: str) -> str:
        text = escape(label)
        return (
            f'<button type="button" class="quiet" data-do="{do}" aria-label="{text}" '
            f'title="{text}">{icon(sign)}</button>'
        )

    return (
        f'<li data-id="{escape(conversation.id)}" data-title="{escape(title)}"{here}>'
        f'<a class="open" data-do="open" href="?c={escape(conversation.id)}"'
        f"{here}>{escape(title)}</a>"
        f"{action('rename', words('rename', title=title), 'edit')}"
        f"{action('delete', words('delete', title=title), 'trash')}</li>"
    )


def staff_links(words: Words, waiting: int = 0, *, can_compare: bool = False) -> str:
    """The way to where the team looks after what the assistant knows and learns.

    Args:
        waiting: how much feedback waits to be reviewed.
        can_compare: whether two answers can be compared, here in the chat.
    """
    told = escape(words("waiting_feedback", count=waiting))
    count = f'<span class="waiting" title="{told}">{waiting}</span>' if waiting else ""
    compare = (
        f'<button type="button" class="staff-link" data-do="compare">{icon("compare")}'
        f"<span>{escape(words('compare'))}</span></button>"
    )
    links = "".join(
        f'<a class="staff-link" href="{path}/">{icon(sign)}'
        f"<span>{escape(words(key))}</span>{count if key == 'review' else ''}</a>"
        for path, key, sign in _STAFF_PAGES
    )
    return links + (compare if can_compare else "")


def notice(text: str, words: Words, *, restore_id: str | None = None) -> str:
    """A quiet bar about what just happened, with its undo where there is one.

    Each has a key of its own: the page draws nothing when it is given the same HTML again.
    """
    undo = (
        f'<button type="button" data-do="restore" data-id="{escape(restore_id)}">'
        f"{escape(words('restore'))}</button>"
        if restore_id
        else ""
    )
    dismiss = escape(words("dismiss"))
    return (
        f'<div class="notice" role="status" data-key="{secrets.token_hex(4)}">'
        f"<span>{escape(text)}</span>{undo}"
        f'<button type="button" class="quiet" data-do="dismiss" aria-label="{dismiss}" '
        f'title="{dismiss}">{icon("close")}</button></div>'
    )
