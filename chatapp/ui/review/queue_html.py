"""The head of the Review page, and the remarks below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from chatapp.feedback_records import Correction, Remark, RemarkStatus
from chatapp.ui.review.remark_html import Desk, remark_html
from chatapp.ui.review.texts import ReviewWords
from chatapp.ui.review.view import View

TABS = ("queue", "examples", "numbers")


def head_html(counts: Mapping[RemarkStatus, int], examples: int, words: ReviewWords) -> str:
    """Where one is, how much there is, and the three panes."""
    facts = words(
        "summary",
        open=counts["open"],
        approved=counts["approved"],
        faq=counts["faq"],
        rejected=counts["rejected"],
    )
    numbers = {"queue": counts["open"], "examples": examples, "numbers": 0}
    tabs = "".join(_tab(name, numbers[name], words) for name in TABS)
    return (
        f'<div class="title"><h1>{escape(words("review"))}</h1></div>'
        f'<p class="facts">{escape(facts)}</p>'
        f'<div class="panel-tabs" role="tablist">{tabs}</div>'
    )


def queue_html(
    remarks: Sequence[Remark], near: Sequence[Correction | None], view: View, desk: Desk
) -> str:
    """The remarks, newest first; one more than the view's limit says that there are others."""
    words = desk.words
    if not remarks:
        if view.filtered:
            return f'<p class="none">{escape(words("none_found"))}</p>'
        return (
            f'<div class="nothing"><h2>{escape(words("nothing_waits"))}</h2>'
            f"<p>{escape(words('nothing_waits_help'))}</p></div>"
        )
    rows = "".join(
        remark_html(remark, example, desk)
        for remark, example in zip(remarks[: view.limit], near, strict=False)
    )
    more = (
        f'<button type="button" class="plain more" data-do="more">{escape(words("more"))}</button>'
        if len(remarks) > view.limit
        else ""
    )
    return f'<ul class="remarks">{rows}</ul>{more}'


def _tab(name: str, count: int, words: ReviewWords) -> str:
    shown = f'<span class="count">{count}</span>' if count else ""
    return (
        f'<button type="button" role="tab" id="tab-{name}" data-tab="{name}" '
        f'aria-controls="panel-{name}">{escape(words(f"{name}_tab"))}{shown}</button>'
    )
