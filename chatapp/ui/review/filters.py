"""The fixed bits of HTML of the Review page; its script fills their texts in."""

from __future__ import annotations

from typing import Final

from chatapp.feedback_records import DECISIONS, REASONS

_STATUSES: Final = ("open", *DECISIONS, "all")


def queue_filter() -> str:
    """Which feedback is shown."""
    statuses = "".join(_option(status, f"status_{status}") for status in _STATUSES)
    reasons = "".join(_option(reason, f"reason_{reason}") for reason in REASONS)
    return (
        '<form class="filters" data-form="filter" role="search">'
        f'<select name="status" data-label="status">{statuses}</select>'
        f'<select name="reason" data-label="reason">{_option("", "reason_all")}{reasons}</select>'
        f"{_search('search', 'search_feedback')}</form>"
    )


def examples_filter() -> str:
    """Which examples are shown."""
    search = _search("examples", "search_examples")
    return f'<form class="filters" data-form="filter" role="search">{search}</form>'


def _option(value: str, key: str) -> str:
    return f'<option value="{value}" data-text="{key}"></option>'


def _search(name: str, key: str) -> str:
    return f'<input type="search" name="{name}" data-label="{key}" data-hint="{key}">'
