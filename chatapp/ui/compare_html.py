"""The comparison as HTML: what is asked of whom, the two heads, and the vote."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatapp.feedback_records import Tally
from chatapp.flows.adapters_live import BASE, LIVE
from chatapp.flows.comparing import LONGEST_QUESTION
from chatapp.flows.comparison import Comparison, Side
from chatapp.training_records import Adapter
from chatapp.ui.route_line import duration
from chatapp.ui.staff_chips import adapter_name
from chatapp.ui.texts import Words


def adapter_options(adapters: Sequence[Adapter], words: Words, chosen: str = LIVE) -> str:
    """Every way to answer, as the options of a select."""
    live = next((one.name for one in adapters if one.live), None)
    choices = [
        (LIVE, words("live_adapter", name=adapter_name(live, words))),
        (BASE, words("base_model")),
        *((one.name, one.name) for one in adapters),
    ]
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(text)}</option>"
        for value, text in choices
    )


def compare_form(adapters: Sequence[Adapter], words: Words) -> str:
    """Who is to answer, whether names are hidden, and the question; without any adapter, the way
    to one."""
    if not adapters:
        return (
            f'<p class="compare-none">{escape(words("compare_nothing"))} '
            f'<a href="teach/">{escape(words("teach"))}</a></p>'
        )
    newest = next((one.name for one in adapters if not one.live), LIVE)
    first = BASE if newest == LIVE else LIVE
    return (
        '<form class="compare-form" data-form="compare">'
        f'<p class="lead">{escape(words("compare_help"))}</p>'
        f'<div class="pair">{_select("first", "compare_first", adapters, first, words)}'
        f"{_select('second', 'compare_second', adapters, newest, words)}</div>"
        f'<label class="blind"><input type="checkbox" name="blind" checked>'
        f"<span>{escape(words('compare_blind'))}</span></label>"
        f'<label class="asked"><span>{escape(words("compare_question"))}</span>'
        f'<textarea name="question" rows="2" required maxlength="{LONGEST_QUESTION}"></textarea>'
        '</label><div class="acts">'
        f'<button type="button" class="plain" data-do="stop-compare" hidden>'
        f"{escape(words('stop'))}</button>"
        f'<button type="submit" class="solid">{escape(words("compare_ask"))}</button></div></form>'
    )


def loading_head(words: Words) -> str:
    """Either side while the two who were asked for are being loaded."""
    return (
        '<div class="side-head"><p class="state"><span class="pulse" aria-hidden="true"></span>'
        f"{escape(words('compare_loading'))}</p></div>"
    )


def side_head(comparison: Comparison, side: Side, words: Words) -> str:
    """A letter while names are hidden, a name otherwise; and how far the answer is."""
    letter = "A" if side == "left" else "B"
    name = escape(adapter_name(comparison.adapter(side), words))
    shown = letter if comparison.names_hidden else f"{letter} · {name}"
    better = comparison.vote is not None and _chosen(comparison) == side
    mark = f'<span class="chip won">{escape(words("vote_better"))}</span>' if better else ""
    answer = comparison.answers[side]
    if answer.failure:
        state = f'<p class="failure" role="alert">{escape(answer.failure)}</p>'
    elif answer.stopped:
        state = f'<p class="state">{escape(words("stopped"))}</p>'
    elif not answer.done:
        pulse = '<span class="pulse" aria-hidden="true"></span>'
        state = f'<p class="state">{pulse}{_phase(comparison, side, words)}</p>'
    elif comparison.names_hidden or answer.seconds is None:
        state = ""  # the time could tell who it was
    else:
        state = f'<p class="state">{escape(duration(answer.seconds, words))}</p>'
    return f'<div class="side-head"><h3>{shown}</h3>{mark}{state}</div>'


def verdict_html(comparison: Comparison, tallies: Sequence[Tally], words: Words) -> str:
    """The four verdicts; after the vote what it was, and how the two have fared so far."""
    if comparison.can_vote:
        buttons = "".join(
            f'<button type="button" class="plain" data-do="vote" data-choice="{choice}">'
            f"{escape(words(f'vote_{choice}'))}</button>"
            for choice in ("left", "tie", "both_bad", "right")
        )
        return (
            f'<div class="verdict" data-id="{comparison.id}" role="group" '
            f'aria-label="{escape(words("vote"))}"><p>{escape(words("vote"))}</p>'
            f'<div class="choices">{buttons}</div></div>'
        )
    if comparison.vote is None:
        return ""
    return (
        f'<div class="verdict" data-id="{comparison.id}" role="status">'
        f"<p>{escape(_said(comparison, words))} {escape(_tally_line(comparison, tallies, words))}"
        f'</p><button type="button" class="plain" data-do="unvote">{escape(words("restore"))}'
        "</button></div>"
    )


def _select(name: str, key: str, adapters: Sequence[Adapter], chosen: str, words: Words) -> str:
    options = adapter_options(adapters, words, chosen)
    return (
        f'<label><span>{escape(words(key))}</span><select name="{name}">{options}</select></label>'
    )


def _phase(comparison: Comparison, side: Side, words: Words) -> str:
    answer = comparison.answers[side]
    if answer.text:
        return escape(words("writing"))
    if answer.waiting:
        key = "queued_one" if answer.waiting == 1 else "queued"
        return escape(words(key, ahead=answer.waiting))
    return escape(words("thinking"))


def _chosen(comparison: Comparison) -> Side | None:
    assert comparison.vote is not None
    if comparison.vote.verdict not in ("first", "second"):
        return None
    first_is_better = comparison.vote.verdict == "first"
    return "right" if first_is_better == comparison.swapped else "left"


def _said(comparison: Comparison, words: Words) -> str:
    side = _chosen(comparison)
    if side is None:
        assert comparison.vote is not None
        return words(f"voted_{comparison.vote.verdict}")
    return words("voted_better", name=adapter_name(comparison.adapter(side), words))


def _tally_line(comparison: Comparison, tallies: Sequence[Tally], words: Words) -> str:
    first, second = comparison.adapters
    tally = next((one for one in tallies if one.adapter == second and one.other == first), None)
    if tally is None:
        return ""
    return words(
        "tally",
        name=adapter_name(second, words),
        other=adapter_name(first, words),
        wins=tally.wins,
        losses=tally.losses,
        rest=tally.ties + tally.both_bad,
    )
