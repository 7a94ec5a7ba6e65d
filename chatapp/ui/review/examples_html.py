"""The approved examples: what is learned, what is set aside, and the way to teach with them."""

from __future__ import annotations

import json
from datetime import tzinfo
from html import escape
from typing import Final

from chatapp.feedback_records import Correction
from chatapp.flows.feedback_examples import Parts
from chatapp.ui.review.texts import ReviewWords
from chatapp.ui.staff.figures import day
from chatapp.ui.staff.icons import sign

SHOWN: Final = 200
"""Examples that are drawn at once; a search finds the others."""


def examples_html(parts: Parts, search: str, words: ReviewWords, zone: tzinfo) -> str:
    """Newest first, with what each is for.

    Args:
        search: keeps those with this text in the question or the answer.
    """
    every = sorted(
        (*parts.trained, *parts.held_out, *parts.too_near), key=lambda one: one.id, reverse=True
    )
    if not every:
        return (
            f'<div class="nothing"><h2>{escape(words("no_examples"))}</h2>'
            f"<p>{escape(words('no_examples_help'))}</p></div>"
        )
    wanted = search.casefold()
    found = [one for one in every if wanted in f"{one.question}\n{one.answer}".casefold()]
    too_near = {one.id for one in parts.too_near}
    rows = "".join(_row(one, one.id in too_near, words, zone) for one in found[:SHOWN])
    table = (
        '<table class="rows"><thead><tr>'
        f'<th scope="col" class="asked">{escape(words("column_example"))}</th>'
        f'<th scope="col">{escape(words("column_learned"))}</th><th class="acts"></th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        if rows
        else f'<p class="none">{escape(words("no_example_found", search=search))}</p>'
    )
    return f'<div class="faq">{_lead(parts, words)}{table}</div>'


def _lead(parts: Parts, words: ReviewWords) -> str:
    counts = [
        words("learned", n=len(parts.trained)),
        words("set_aside", n=len(parts.held_out)),
    ]
    if parts.too_near:
        counts.append(words("left_out", n=len(parts.too_near)))
    aside = (
        f'<a class="plain" href="/review/held-out.jsonl" download>{sign("down")}'
        f"{escape(words('download_aside'))}</a>"
        if parts.held_out
        else ""
    )
    teach = (
        f'<a class="solid" href="/teach/?corrections=1">{sign("teach")}'
        f"{escape(words('teach_with', n=len(parts.trained)))}</a>"
        if parts.trained
        else ""
    )
    return (
        f'<div class="examples-head"><div><p class="lead">{escape(words("examples_lead"))}</p>'
        f'<p class="counts">{escape(" · ".join(counts))}</p></div>'
        f'<div class="examples-acts">{aside}{teach}</div></div>'
    )


def _row(example: Correction, too_near: bool, words: ReviewWords, zone: tzinfo) -> str:
    part = "part_held_out" if example.held_out else "part_too_near" if too_near else ""
    tag = f'<span class="tag">{escape(words(part))}</span>' if part else ""
    data = escape(
        json.dumps({"question": example.question, "answer": example.answer}, ensure_ascii=False)
    )
    short = example.question if len(example.question) <= 80 else f"{example.question[:79]}…"
    return (
        f'<tr data-id="{escape(example.id)}" data-example="{data}">'
        f'<td class="asked"><strong class="clip">{escape(example.question)}</strong>{tag}'
        f'<span class="sub">{escape(day(example.updated_at, words, zone))}</span></td>'
        f'<td class="answer"><div class="clip">{escape(example.answer)}</div></td>'
        f'<td class="acts">{_act("edit-example", "edit", words("edit_example", question=short))}'
        f"{_act('delete-example', 'trash', words('delete_example', question=short))}</td></tr>"
    )


def _act(do: str, icon: str, label: str) -> str:
    text = escape(label)
    return (
        f'<button type="button" class="quiet" data-do="{do}" aria-label="{text}" title="{text}">'
        f"{sign(icon)}</button>"
    )
