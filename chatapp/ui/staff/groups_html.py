"""Questions that could not be answered, grouped, and what can be done about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from html import escape

from chatapp.flows.drafting import Draft
from chatapp.flows.unanswered import Group
from chatapp.ui.staff.faq_html import entry_json
from chatapp.ui.staff.figures import counted, day
from chatapp.ui.staff.icons import sign
from chatapp.ui.staff.texts import StaffWords


def groups_html(
    collection_id: str,
    groups: Sequence[Group],
    words: StaffWords,
    zone: tzinfo,
    drafts: dict[str, Draft] | None = None,
) -> str:
    """The groups, the largest first.

    Args:
        drafts: entries to open for approval, by the id of their group.
    """
    where = f'<div class="groups" data-collection="{escape(collection_id)}">'
    if not groups:
        return (
            f'{where}<div class="nothing"><h2>{escape(words("no_unanswered"))}</h2>'
            f"<p>{escape(words('no_unanswered_help'))}</p></div></div>"
        )
    rows = "".join(_group(one, (drafts or {}).get(one.id), words, zone) for one in groups)
    return f"{where}<p class='lead'>{escape(words('unanswered_help'))}</p><ul>{rows}</ul></div>"


def _group(group: Group, draft: Draft | None, words: StaffWords, zone: tzinfo) -> str:
    asked = counted(words, "asked", len(group.ids))
    last = words("last_asked", day=day(group.asked_at, words, zone))
    others = "".join(f"<li>{escape(question)}</li>" for question in group.questions[1:])
    also = (
        f"<details><summary>{escape(counted(words, 'wordings', len(group.questions) - 1))}"
        f"</summary><ul>{others}</ul></details>"
        if others
        else ""
    )
    notes = "".join(
        f'<p class="sub">{escape(words("reviewer_note", note=note))}</p>' for note in group.notes
    )
    data = f' data-draft="{_form(group, draft, words)}"' if draft else ""
    ids = escape(" ".join(group.ids))
    return (
        f'<li class="group" data-id="{escape(group.id)}" data-ids="{ids}"{data}>'
        f'<div class="group-text"><strong>{escape(group.questions[0])}</strong>{also}'
        f'<p class="sub">{escape(asked)} · {escape(last)}</p>{notes}</div>'
        '<div class="group-acts">'
        f'<button type="button" class="plain" data-do="draft">{sign("pen")}'
        f"{escape(words('draft'))}</button>"
        f'<button type="button" class="quiet" data-do="dismiss-group" '
        f'aria-label="{escape(words("dismiss_group"))}" title="{escape(words("dismiss_group"))}">'
        f"{sign('close')}</button></div></li>"
    )


def _form(group: Group, draft: Draft, words: StaffWords) -> str:
    note = words("draft_written" if draft.by_model else "draft_quoted", titles=_titles(draft))
    if not draft.answer:
        note = words("draft_empty")
    return entry_json(
        id="",
        questions=draft.questions,
        answer=draft.answer,
        language=draft.language,
        note=note,
        unanswered=group.ids,
    )


def _titles(draft: Draft) -> str:
    return ", ".join(f"“{title}”" for title in draft.titles)
