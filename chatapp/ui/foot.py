"""The quiet line under each turn: what can be done with it, and how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatapp.records import Message
from chatapp.ui.given import given_line
from chatapp.ui.icons import icon
from chatapp.ui.live import LiveAnswer
from chatapp.ui.route_line import route_line
from chatapp.ui.staff_chips import labels_line, writer_chip
from chatapp.ui.texts import Words
from chatapp.ui.thread import Thread


def foot(message: Message, thread: Thread, words: Words, *, growing: bool) -> str:
    """The line as HTML; while the answer grows, how far it has come."""
    if growing and thread.live is not None:
        live = thread.live
        route = route_line(live.grounding, None, words)
        return _dropped(live.dropped_turns, words) + route + _progress(live, words)
    versions = _versions(message, thread.siblings.get(message.id, ()), words)
    if message.role == "user":
        actions = _button("edit", words("edit")) + _button("undo", words("undo"))
        kind = "foot-line with-versions" if versions else "foot-line"
        line = f'<div class="{kind}">{_button("copy", words("copy"))}{actions}{versions}</div>'
        return labels_line(thread.labels.get(message.id, ()), words) + line
    actions = _button("retry", words("retry"))
    if message.text:
        actions = (
            _button("copy", words("copy"))
            + actions
            + _button("like", words("like"), pressed=message.liked is True)
            + _button("dislike", words("dislike"), pressed=message.liked is False)
        )
    seconds = message.timing.total if message.timing else None
    route = route_line(message.grounding, seconds, words)
    figures = _figures(message, words, timed=bool(route))
    writer = writer_chip(message, words) if thread.for_staff else ""
    given = given_line(thread.remarks.get(message.id), words)
    state = _dropped(message.dropped_turns, words) + _state(message, words) + route
    return f'{state}<div class="foot-line">{actions}{versions}{figures}{writer}</div>{given}'


def _progress(live: LiveAnswer, words: Words) -> str:
    match live.phase:
        case "queued":
            text = words("queued_one") if live.ahead == 1 else words("queued", ahead=live.ahead)
        case "writing":
            text = words("writing")
        case _:
            text = words("thinking")
    return (
        f'<div class="progress {live.phase}"><span class="pulse" aria-hidden="true"></span>'
        f"{escape(text)}</div>"
    )


def _state(message: Message, words: Words) -> str:
    if message.status == "failed":
        sentence = words.error(message.error_code, message.error or words("failed"))
        return (
            f'<div class="state failed" role="alert">{icon("alert")}<span>{escape(sentence)}'
            f'</span><button type="button" class="try-again" data-do="retry">'
            f"{escape(words('try_again'))}</button></div>"
        )
    if message.status == "stopped":
        return f'<div class="state">{escape(words("stopped"))}</div>'
    if message.status == "writing":
        return f'<div class="state">{escape(words("elsewhere"))}</div>'
    if message.finish_reason == "length":
        return f'<div class="state">{escape(words("cut_off"))}</div>'
    return ""


def _dropped(turns: int, words: Words) -> str:
    if turns == 0:
        return ""
    text = words("dropped_one") if turns == 1 else words("dropped", count=turns)
    return f'<div class="state dropped">{escape(text)}</div>'


def _figures(message: Message, words: Words, *, timed: bool) -> str:
    """Tokens and times; ``timed``: the line above says already how long it took."""
    if message.usage is None or message.timing is None:
        return ""
    count, timing = message.usage.completion_tokens, message.timing
    figures = [] if timed else [words("seconds", total=timing.total)]
    if count:
        tokens = words("tokens_one") if count == 1 else words("tokens", count=count)
        figures = [tokens, *figures, words("first_token", first=timing.first_token)]
    if timing.queued >= 0.5:
        figures.append(words("waited", queued=timing.queued))
    return f'<span class="figures">{escape(" · ".join(figures))}</span>' if figures else ""


def _versions(message: Message, siblings: Sequence[str], words: Words) -> str:
    if len(siblings) < 2 or message.id not in siblings:
        return ""
    at = siblings.index(message.id)

    def arrow(step: int, label: str, sign: str) -> str:
        target = siblings[at + step] if 0 <= at + step < len(siblings) else None
        attributes = f'data-target="{escape(target)}"' if target else "disabled"
        return (
            f'<button type="button" data-do="show" {attributes} aria-label="{escape(label)}">'
            f"{sign}</button>"
        )

    label = words("versions", n=at + 1, of=len(siblings))
    return (
        f'<span class="versions" role="group" aria-label="{escape(label)}">'
        f"{arrow(-1, words('previous_version'), '‹')}<span>{at + 1}/{len(siblings)}</span>"
        f"{arrow(1, words('next_version'), '›')}</span>"
    )


def _button(action: str, label: str, *, pressed: bool | None = None) -> str:
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return (
        f'<button type="button" class="quiet" data-do="{action}" aria-label="{escape(label)}" '
        f'title="{escape(label)}"{state}>{icon(action)}</button>'
    )
