"""What a reader said about an answer, as the page shows it to them again."""

from __future__ import annotations

from html import escape

from chatapp.feedback_records import DECISIONS, Remark
from chatapp.ui.texts import Words


def remark_facts(remark: Remark | None) -> dict[str, object]:
    """What the page's script needs to open the form again; nothing where nothing was said."""
    if remark is None:
        return {}
    return {
        "remark": {
            "reason": remark.reason or "",
            "comment": remark.comment,
            "better": remark.better,
            "status": remark.status,
            "at": remark.at.isoformat(),
            "reviewed": remark.status in DECISIONS,
        }
    }


def given_line(remark: Remark | None, words: Words) -> str:
    """The thanks under the answer, with the ways to say something else. How the team decided is
    theirs."""
    if remark is None or remark.status == "withdrawn":
        return ""
    if remark.status in DECISIONS:
        return f'<p class="given">{escape(words("feedback_reviewed"))}</p>'
    return (
        f'<p class="given"><span>{escape(words("feedback_thanks"))}</span>'
        f'<button type="button" data-do="feedback">{escape(words("feedback_change"))}</button>'
        f'<button type="button" data-do="withdraw">{escape(words("feedback_withdraw"))}</button>'
        "</p>"
    )
