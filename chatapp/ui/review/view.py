"""What of the feedback a reader looks at; their page sends it along with every event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast, get_args

import gradio as gr

from chatapp.feedback_records import REASONS, Reason, RemarkStatus

PAGE: Final = 50
"""Remarks that are drawn at once."""
MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class View:
    """The filters. ``status`` and ``reason`` of None are all."""

    status: RemarkStatus | None = "open"
    reason: Reason | None = None
    search: str = ""
    limit: int = PAGE
    examples_search: str = ""

    @property
    def filtered(self) -> bool:
        """Whether something may be there that is not shown."""
        return self.status != "open" or self.reason is not None or bool(self.search)


def view_of(picked: gr.EventData | None) -> View:
    """The view as the page sent it; what makes no sense is taken for the usual."""
    data = picked._data if picked is not None else None
    sent = data.get("view") if isinstance(data, dict) else None
    if not isinstance(sent, dict):
        return View()
    status, reason, limit = sent.get("status"), sent.get("reason"), sent.get("limit")
    known = status in get_args(RemarkStatus) and status != "withdrawn"
    return View(
        status=None if status == "all" else cast(RemarkStatus, status) if known else "open",
        reason=cast(Reason, reason) if reason in REASONS else None,
        search=_text(sent.get("search")),
        limit=min(max(limit, PAGE), MOST) if isinstance(limit, int) else PAGE,
        examples_search=_text(sent.get("examples")),
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
