"""Counts: thumbs, blind votes by pair of adapters, and what customers write about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from chatapp.feedback_records import Tally
from chatapp.training_records import Purpose
from chatapp.ui.review.texts import ReviewWords


def numbers_html(
    thumbs: tuple[int, int],
    tallies: Sequence[Tally],
    labels: Mapping[Purpose, Sequence[tuple[str, int]]],
    words: ReviewWords,
) -> str:
    """All of them, each with what it was measured on. ``thumbs``: up and down."""
    return (
        f'<div class="numbers">{_thumbs(thumbs, words)}{_votes(tallies, words)}'
        f"{_labels(labels, words)}</div>"
    )


def _thumbs(thumbs: tuple[int, int], words: ReviewWords) -> str:
    up, down = thumbs
    if up + down == 0:
        told = words("no_thumbs")
    else:
        told = words("thumbs_counted", up=up, down=down, share=f"{up / (up + down):.0%}")
    return (
        f'<section><h2>{escape(words("thumbs"))}</h2><p class="counts">{escape(told)}</p></section>'
    )


def _votes(tallies: Sequence[Tally], words: ReviewWords) -> str:
    compare = f'<a class="plain" href="/?compare=">{escape(words("compare"))}</a>'
    if not tallies:
        body = f'<p class="none">{escape(words("no_votes"))}</p>'
    else:
        columns = ("pair", "votes", "won", "lost", "tie", "bad", "rate")
        head = "".join(
            f'<th scope="col"{_NUMBER if name != "pair" else ""}>{escape(words(f"column_{name}"))}'
            "</th>"
            for name in columns
        )
        rows = "".join(_tally(one, words) for one in tallies)
        body = _scroller(head, rows, words("votes"))
    return (
        f'<section><div class="section-head"><h2>{escape(words("votes"))}</h2>{compare}</div>'
        f'<p class="lead">{escape(words("votes_help"))}</p>{body}</section>'
    )


_NUMBER = ' class="figure"'


def _tally(tally: Tally, words: ReviewWords) -> str:
    base = words("base_model")
    pair = words("against", name=tally.adapter or base, other=tally.other or base)
    rate = "–" if tally.win_rate is None else f"{tally.win_rate:.0%}"
    figures = (tally.votes, tally.wins, tally.losses, tally.ties, tally.both_bad, rate)
    cells = "".join(f"<td{_NUMBER}>{figure}</td>" for figure in figures)
    return f'<tr><th scope="row">{escape(pair)}</th>{cells}</tr>'


def _labels(labels: Mapping[Purpose, Sequence[tuple[str, int]]], words: ReviewWords) -> str:
    tables = "".join(
        _purpose(purpose, counts, words) for purpose, counts in labels.items() if counts
    )
    body = tables or f'<p class="none">{escape(words("no_labels"))}</p>'
    return (
        f"<section><h2>{escape(words('labels'))}</h2>"
        f'<p class="lead">{escape(words("labels_help"))}</p><div class="purposes">{body}</div>'
        "</section>"
    )


def _purpose(purpose: Purpose, counts: Sequence[tuple[str, int]], words: ReviewWords) -> str:
    head = (
        f'<th scope="col">{escape(words(f"purpose_{purpose}"))}</th>'
        f'<th scope="col"{_NUMBER}>{escape(words("column_messages"))}</th>'
    )
    most = max(count for _, count in counts)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}<span class="bar" aria-hidden="true">'
        f'<span style="width:{round(100 * count / most)}%"></span></span></th>'
        f"<td{_NUMBER}>{count:,}</td></tr>"
        for label, count in counts
    )
    return _scroller(head, rows, words(f"purpose_{purpose}"))


def _scroller(head: str, rows: str, label: str) -> str:
    return (
        f'<div class="scroller" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
