"""One remark as HTML: what was said about which answer, and what can be made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from html import escape

from chatapp.feedback_records import Correction, Remark
from chatapp.flows.feedback import LONGEST_ANSWER, LONGEST_QUESTION
from chatapp.flows.feedback_review import LONGEST_NOTE, Mask
from chatapp.knowledge_records import Collection
from chatapp.ui.review.texts import ReviewWords
from chatapp.ui.staff.figures import day


@dataclass(frozen=True, slots=True)
class Desk:
    """What every row needs to be drawn."""

    collections: Sequence[Collection]
    mask: Mask
    words: ReviewWords
    zone: tzinfo


def remark_html(remark: Remark, near: Correction | None, desk: Desk) -> str:
    """A row that unfolds. ``near``: the approved example that asks nearly the same."""
    words = desk.words
    below = _form(remark, near, desk) if remark.status == "open" else _decided(remark, desk)
    return (
        f'<li class="remark" data-id="{escape(remark.id)}"><details><summary>'
        f'<span class="asked">{escape(remark.question or words("no_question"))}</span>'
        f'<span class="why">{_chips(remark, words)}</span>'
        f'<span class="when">{escape(day(remark.at, words, desk.zone))}</span></summary>'
        f'<div class="inside">{_earlier(remark, words)}{_shown(remark, words)}'
        f"{_comment(remark, words)}{below}</div></details></li>"
    )


def writer_of(remark: Remark, words: ReviewWords) -> str:
    """Who wrote the answer: an adapter, or the model itself."""
    return remark.adapter or remark.model or words("base_model")


def _chips(remark: Remark, words: ReviewWords) -> str:
    chips = [words(f"reason_{remark.reason}")] if remark.reason else []
    if remark.better:
        chips.append(words("suggested"))
    return "".join(f'<span class="tag">{escape(chip)}</span>' for chip in chips)


def _earlier(remark: Remark, words: ReviewWords) -> str:
    if not remark.earlier:
        return ""
    turns = "".join(
        f"<p><strong>{escape(words(f'said_{turn.role}'))}</strong> {escape(turn.content)}</p>"
        for turn in remark.earlier
    )
    return (
        f'<details class="earlier"><summary>{escape(words("earlier"))}</summary>{turns}</details>'
    )


def _shown(remark: Remark, words: ReviewWords) -> str:
    route = remark.grounding.route if remark.grounding else "persona"
    told = words("from", route=words(f"route_{route}"), writer=writer_of(remark, words))
    sources = dict.fromkeys(
        source.title or source.document
        for source in (remark.grounding.sources if remark.grounding else ())
        if source.cited or route in ("faq", "quote")
    )
    titles = "".join(f'<span class="tag">{escape(title)}</span>' for title in sources)
    return (
        f'<section><h3>{escape(words("shown"))}</h3><p class="said">{escape(remark.answer)}</p>'
        f'<p class="sub">{escape(told)} {titles}</p></section>'
    )


def _comment(remark: Remark, words: ReviewWords) -> str:
    if not remark.comment:
        return ""
    return (
        f'<section><h3>{escape(words("comment"))}</h3><p class="said">{escape(remark.comment)}</p>'
        "</section>"
    )


def _form(remark: Remark, near: Correction | None, desk: Desk) -> str:
    words = desk.words
    told = words("near_example", question=near.question) if near else ""
    if not remark.better:
        told = f"{words('answer_missing')} {told}".strip()
    note = f'<p class="note">{escape(told)}</p>' if told else ""
    return (
        f'<form class="card decide" data-form="decide">{note}'
        f"{_area('question', remark.question, 2, LONGEST_QUESTION, words)}"
        f"{_area('answer', remark.better, 4, LONGEST_ANSWER, words)}"
        f'<label class="tick"><input type="checkbox" name="mask" checked>'
        f"<span>{escape(_masked(remark, desk))}</span></label>"
        f'<div class="pair">{_collections(remark, desk)}'
        f'<label><span>{escape(words("note"))}</span><input name="note" '
        f'maxlength="{LONGEST_NOTE}"></label></div>'
        f'<div class="card-acts">{_button("reject", "plain", words)}'
        f"{_button('missing_document', 'plain', words)}{_button('to_faq', 'plain', words)}"
        f"{_button('approve', 'solid', words)}</div></form>"
    )


def _area(name: str, value: str, rows: int, most: int, words: ReviewWords) -> str:
    return (
        f"<label><span>{escape(words(name))}</span>"
        f'<textarea name="{name}" rows="{rows}" maxlength="{most}">\n{escape(value)}</textarea>'
        "</label>"
    )


def _masked(remark: Remark, desk: Desk) -> str:
    for text in (remark.better, remark.question):
        masked = desk.mask(text)
        if masked != text:
            return desk.words("mask", masked=masked if len(masked) <= 120 else f"{masked[:119]}…")
    return desk.words("mask_nothing")


def _collections(remark: Remark, desk: Desk) -> str:
    trace = remark.grounding.trace if remark.grounding else None
    asked = trace.collection if trace else "public"
    options = "".join(
        f'<option value="{escape(one.id)}"{" selected" if one.name == asked else ""}>'
        f"{escape(one.name)}</option>"
        for one in desk.collections
    )
    return (
        f"<label><span>{escape(desk.words('collection'))}</span>"
        f'<select name="collection">{options}</select></label>'
    )


def _decided(remark: Remark, desk: Desk) -> str:
    words = desk.words
    when = day(remark.decided_at or remark.at, words, desk.zone)
    told = words("decided", what=words(f"status_{remark.status}"), day=when)
    better = (
        f'<section><h3>{escape(words("answer"))}</h3><p class="said">{escape(remark.better)}</p>'
        "</section>"
        if remark.better
        else ""
    )
    return (
        f'{better}<p class="decided"><span>{escape(told)}</span>'
        f'<button type="button" class="plain" data-do="undo-decision">{escape(words("restore"))}'
        "</button></p>"
    )


def _button(do: str, kind: str, words: ReviewWords) -> str:
    return (
        f'<button type="submit" class="{kind}" name="do" value="{do}">{escape(words(do))}</button>'
    )
