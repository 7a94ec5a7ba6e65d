"""The FAQ entries of a collection as a table that is edited in place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Final

from chatapp.knowledge_records import FaqEntry
from chatapp.ui.staff.figures import counted
from chatapp.ui.staff.icons import sign
from chatapp.ui.staff.texts import StaffWords

SHOWN: Final = 200
"""Entries that are drawn at once; a search finds the others."""


def faq_html(
    collection_id: str, entries: Sequence[FaqEntry], search: str, words: StaffWords
) -> str:
    """The table, newest entry first."""
    where = f'<div class="faq" data-collection="{escape(collection_id)}">'
    if not entries:
        return f"{where}{_empty(search, words)}</div>"
    newest = list(reversed(entries))
    rows = "".join(_row(entry, words) for entry in newest[:SHOWN])
    rest = len(newest) - SHOWN
    more = f'<p class="none">{escape(words("faq_more", n=rest))}</p>' if rest > 0 else ""
    return (
        f'{where}<table class="rows"><thead><tr>'
        f'<th scope="col" class="asked">{escape(words("column_questions"))}</th>'
        f'<th scope="col" class="answer">{escape(words("column_answer"))}</th>'
        f'<th class="acts"></th></tr></thead><tbody>{rows}</tbody></table>{more}</div>'
    )


def entry_json(
    *,
    id: str,  # noqa: A002
    questions: Sequence[str],
    answer: str,
    language: str,
    tags: Sequence[str] = (),
    note: str = "",
    unanswered: Sequence[str] = (),
) -> str:
    """An entry as the page's form takes it, ready to stand in an HTML attribute."""
    fields = {
        "id": id,
        "questions": list(questions),
        "answer": answer,
        "language": language,
        "tags": list(tags),
        "note": note,
        "unanswered": list(unanswered),
    }
    return escape(json.dumps(fields, ensure_ascii=False))


def _row(entry: FaqEntry, words: StaffWords) -> str:
    first, *others = entry.questions
    variants = "".join(f"<li>{escape(question)}</li>" for question in others)
    also = (
        f"<details><summary>{escape(counted(words, 'variants', len(others)))}</summary>"
        f"<ul>{variants}</ul></details>"
        if others
        else ""
    )
    facts = "".join(
        f'<span class="tag">{escape(fact)}</span>' for fact in (entry.language, *entry.tags) if fact
    )
    data = entry_json(
        id=entry.id,
        questions=entry.questions,
        answer=entry.answer,
        language=entry.language,
        tags=entry.tags,
    )
    return (
        f'<tr data-id="{escape(entry.id)}" data-entry="{data}">'
        f'<td class="asked"><strong>{escape(first)}</strong>{also}{facts}</td>'
        f'<td class="answer"><div class="clip">{escape(entry.answer)}</div></td><td class="acts">'
        f"{_act('edit-entry', 'edit', words('edit_entry', question=first))}"
        f"{_act('delete-entry', 'trash', words('delete_entry', question=first))}</td></tr>"
    )


def _act(do: str, icon: str, label: str) -> str:
    text = escape(label)
    return (
        f'<button type="button" class="quiet" data-do="{do}" aria-label="{text}" title="{text}">'
        f"{sign(icon)}</button>"
    )


def _empty(search: str, words: StaffWords) -> str:
    if search:
        return f'<p class="none">{escape(words("nothing_found", search=search))}</p>'
    return (
        f'<div class="nothing"><h2>{escape(words("no_faq"))}</h2>'
        f"<p>{escape(words('no_faq_help'))}</p></div>"
    )
