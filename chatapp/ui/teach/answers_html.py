"""The report of a chat adapter: scores beside the base, and answers before and after."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from chatapp.training_records import AnswerPair, AnswerScores, ChatReport
from chatapp.ui.staff.figures import counted
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.amounts import figure
from chatapp.ui.teach.texts import TeachWords

_PAIRS: Final = 6
"""Answers that are shown before the rest is folded away."""


def answers_report(report: ChatReport, words: TeachWords) -> str:
    """All sections."""
    return (
        f"{_scores(report, words)}{_general(report, words)}"
        f"{_pairs(report.answers, 'before_after', words)}"
        f"{_pairs(report.corrections, 'corrections_replayed', words)}"
    )


def _scores(report: ChatReport, words: TeachWords) -> str:
    known = (("base", report.base), ("few_shot", report.few_shot), ("adapter", report.adapter))
    best = max(scores.contained for _, scores in known)
    rows = "".join(_row(kind, scores, scores.contained == best, words) for kind, scores in known)
    heads = "".join(
        f'<th scope="col">{escape(words(key))}</th>'
        for key in ("scored", "exact_share", "contained_share", "rouge", "loss_head", "perplexity")
    )
    return (
        f'<section><h3>{escape(words("on_test_part"))}</h3><div class="scroll" tabindex="0">'
        f'<table class="scores"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="sub">{escape(words("answers_help"))}</p></section>'
    )


def _row(kind: str, scores: AnswerScores, best: bool, words: TeachWords) -> str:
    shares = "".join(
        f'<td class="share" style="--share:{value:.3f}">{value * 100:.0f} %</td>'
        for value in (scores.exact, scores.contained, scores.rouge_l)
    )
    won = ' class="won"' if best else ""
    return (
        f'<tr{won}><th scope="row">{escape(words(f"answers_{kind}"))}<span class="sub">'
        f"{escape(scores.name)}</span></th>{shares}<td>{figure(scores.loss)}</td>"
        f"<td>{figure(scores.perplexity)}</td></tr>"
    )


def _general(report: ChatReport, words: TeachWords) -> str:
    check = report.general
    told = words(
        "general_kept" if check.kept else "general_lost",
        before=round(check.before * check.questions),
        after=round(check.after * check.questions),
        n=check.questions,
    )
    return (
        f'<section class="general" data-kept="{"yes" if check.kept else "no"}"><h3>'
        f'{escape(words("general"))}</h3><p class="verdict">'
        f"{sign('check' if check.kept else 'alert')}<span>{escape(told)}</span></p></section>"
    )


def _pairs(pairs: Sequence[AnswerPair], key: str, words: TeachWords) -> str:
    if not pairs:
        return ""
    shown = "".join(_pair(one, words) for one in pairs[:_PAIRS])
    rest = "".join(_pair(one, words) for one in pairs[_PAIRS:])
    folded = (
        f'<details data-keep="{key}"><summary>'
        f"{escape(counted(words, 'more_answers', len(pairs) - _PAIRS))}</summary><ul>{rest}</ul>"
        "</details>"
        if rest
        else ""
    )
    return (
        f'<section class="before-after"><h3>{escape(words(key))}</h3><ul>{shown}</ul>{folded}'
        "</section>"
    )


def _pair(pair: AnswerPair, words: TeachWords) -> str:
    sides = "".join(
        f'<div class="{kind}"><h4>{escape(words(kind))}</h4><p>{escape(text)}</p></div>'
        for kind, text in (
            ("wanted", pair.expected),
            ("before", pair.before),
            ("after", pair.after),
        )
    )
    return (
        f'<li><p class="question">{escape(pair.question)}</p><div class="sides">{sides}</div></li>'
    )
