"""The report of a classifier: figures, mistakes, how sure it is, whether more data would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Final

from chatapp.training_records import ClassifyReport, LabelScore, Prediction, Scores
from chatapp.ui.staff.figures import counted
from chatapp.ui.teach.amounts import lasting_about, percent
from chatapp.ui.teach.anew import anew
from chatapp.ui.teach.curves import Line, chart
from chatapp.ui.teach.matrix_html import matrix_html
from chatapp.ui.teach.texts import TeachWords

_LABELS: Final = 15
"""Rows of the table by label before the rest is folded away: the hardest ones."""
_PAIRS: Final = 12
_MISTAKES: Final = 10


def labels_report(report: ClassifyReport, words: TeachWords, *, live: bool) -> str:
    """All sections; ``live`` ones have buttons."""
    return (
        f"{_against_baseline(report, words)}{_pairs(report, words, live=live)}"
        f"{matrix_html(report, words, live=live)}{_by_label(report, words)}"
        f"{_confident(report, words, live=live)}"
        f'<div class="figures-row">{_calibration(report, words)}{_more_data(report, words)}</div>'
    )


# ---- figures -----------------------------------------------------------------------------------
def _against_baseline(report: ClassifyReport, words: TeachWords) -> str:
    known = [("baseline", report.baseline)]
    if report.fine_tuned is not None:
        known.append(("adapter", report.fine_tuned))
    rows = "".join(_scores(kind, scores, report, words) for kind, scores in known)
    heads = _heads(("scored", "accuracy", "macro_f1", "took"), words)
    return (
        f'<section><h3>{escape(words("against_baseline"))}</h3><div class="scroll" tabindex="0">'
        f'<table class="scores">{heads}<tbody>{rows}</tbody></table></div>'
        f'<p class="sub">{escape(words("baseline_help"))}</p></section>'
    )


def _scores(kind: str, scores: Scores, report: ClassifyReport, words: TeachWords) -> str:
    won = ' class="won"' if report.winner == kind else ""
    best = f' <span class="tag">{escape(words("offered"))}</span>' if won else ""
    return (
        f'<tr{won}><th scope="row">{escape(words(f"scored_{kind}"))}{best}'
        f'<span class="sub">{escape(scores.name)}</span></th><td>{percent(scores.accuracy)}</td>'
        f"<td>{percent(scores.macro_f1)}</td>"
        f"<td>{escape(lasting_about(scores.seconds, words))}</td>"
        "</tr>"
    )


def _by_label(report: ClassifyReport, words: TeachWords) -> str:
    hardest = sorted(report.per_label, key=lambda score: (score.f1, score.label))
    heads = _heads(("label", "precision", "recall", "f1", "support"), words)
    shown = "".join(_score(score) for score in hardest[:_LABELS])
    rest = "".join(_score(score) for score in hardest[_LABELS:])
    averages = "".join(
        _score(score, words(key))
        for key, score in (("average_macro", report.macro), ("average_weighted", report.weighted))
    )
    folded = (
        f'<details data-keep="labels-rest"><summary>'
        f"{escape(words('more_labels', n=len(hardest) - _LABELS))}</summary>"
        f'<div class="scroll" tabindex="0"><table class="scores">{heads}'
        f"<tbody>{rest}</tbody></table>"
        "</div></details>"
        if rest
        else ""
    )
    return (
        f'<section><h3>{escape(words("by_label"))}</h3><p class="sub">'
        f'{escape(words("by_label_help"))}</p><div class="scroll" tabindex="0">'
        f'<table class="scores">{heads}<tbody>{shown}</tbody><tfoot>{averages}</tfoot></table>'
        "</div>"
        f"{folded}</section>"
    )


def _score(score: LabelScore, name: str = "") -> str:
    figures = "".join(
        f'<td style="--share:{value:.3f}" class="share">{value * 100:.1f}</td>'
        for value in (score.precision, score.recall, score.f1)
    )
    return (
        f'<tr><th scope="row">{escape(name or score.label)}</th>{figures}'
        f"<td>{score.support:,}</td></tr>"
    )


def _heads(keys: Sequence[str], words: TeachWords) -> str:
    shown = "".join(f'<th scope="col">{escape(words(key))}</th>' for key in keys)
    return f"<thead><tr>{shown}</tr></thead>"


# ---- mistakes ----------------------------------------------------------------------------------
def _pairs(report: ClassifyReport, words: TeachWords, *, live: bool) -> str:
    counts = Counter(
        (one.label, one.predicted) for one in report.predictions if one.label != one.predicted
    )
    if not counts:
        return ""
    items = "".join(
        f"<li>{_pair(true, said, count, words, live=live)}</li>"
        for (true, said), count in counts.most_common(_PAIRS)
    )
    return (
        f'<section class="pairs"><h3>{escape(words("most_confused"))}</h3><p class="sub">'
        f"{escape(words('most_confused_help' if live else 'most_confused_file'))}</p>"
        f"<ol>{items}</ol></section>"
    )


def _pair(true: str, said: str, count: int, words: TeachWords, *, live: bool) -> str:
    told = (
        f'<span class="label">{escape(true)}</span><span class="as">{escape(words("taken_for"))}'
        f'</span><span class="label">{escape(said)}</span><b>{count}×</b>'
    )
    if not live:
        return told
    return (
        f'<button type="button" data-do="cell" data-true="{escape(true)}" '
        f'data-said="{escape(said)}">{told}</button>'
    )


def _confident(report: ClassifyReport, words: TeachWords, *, live: bool) -> str:
    wrong = [one for one in report.predictions if one.label != one.predicted]
    wrong.sort(key=lambda one: -one.confidence)
    if not wrong:
        return f'<section><p class="fine">{escape(words("no_mistakes"))}</p></section>'
    rows = "".join(mistake_html(one, report.labels, words, live=live) for one in wrong[:_MISTAKES])
    return (
        f'<section class="mistakes"><h3>{escape(words("surest_mistakes"))}</h3>'
        f'<p class="sub">{escape(words("surest_mistakes_help"))}</p><ul>{rows}</ul></section>'
    )


def mistake_html(one: Prediction, labels: Sequence[str], words: TeachWords, *, live: bool) -> str:
    """An example of the test part with what was said of it; its label can be mended."""
    place = words("place", file=one.file, row=one.row) if one.row else ""
    told = words("said_instead", said=one.predicted, share=f"{one.confidence:.0%}")
    mend = ""
    if live and one.row:
        options = "".join(
            f"<option{' selected' if label == one.label else ''}>{escape(label)}</option>"
            for label in labels
        )
        mend = (
            f'<label class="relabel"><span>{escape(words("right_label"))}</span><select '
            f'data-relabel data-row="{one.row}" data-before="{escape(one.label)}">{options}'
            "</select></label>"
        )
    else:
        mend = f'<span class="label">{escape(one.label)}</span>'
    return (
        f'<li data-wrong="{"yes" if one.label != one.predicted else "no"}"><div><p>'
        f'{escape(one.text)}</p><p class="sub">{escape(told)}'
        f"{' · ' + escape(place) if place else ''}</p></div>{mend}</li>"
    )


# ---- how sure, and more data -------------------------------------------------------------------
def _calibration(report: ClassifyReport, words: TeachWords) -> str:
    bins = [(one.confidence * 100, one.accuracy * 100) for one in report.calibration if one.count]
    if len(bins) < 2:
        return ""
    ideal = Line(words("calibration_ideal"), "grey", [(bins[0][0], bins[0][0]), (100, 100)], True)
    lines = [Line(words("calibration_real"), "a", bins), ideal]
    drawn = chart(
        lines,
        words,
        label=words("calibration"),
        across=words("confidence_axis"),
        key="calibration",
    )
    told = words("calibration_help", share=percent(report.calibration_error))
    return (
        f'<section><h3>{escape(words("calibration"))}</h3><p class="sub">{escape(told)}</p>'
        f"{drawn}</section>"
    )


def _more_data(report: ClassifyReport, words: TeachWords) -> str:
    if len(report.curve) < 2:
        return ""
    points = [(float(one.rows), one.macro_f1 * 100) for one in report.curve]
    drawn = chart(
        [Line(words("macro_f1_line"), "a", points)],
        words,
        label=words("more_data"),
        across=words("training_rows"),
        key="more-data",
    )
    last, before = report.curve[-1], report.curve[-2]
    gain = (last.macro_f1 - before.macro_f1) * 100
    told = words(
        "more_data_yes" if gain >= 1 else "more_data_no",
        rows=counted(words, "rows", last.rows - before.rows),
        gain=f"{gain:.1f}".replace("-", "−"),
    )
    return (
        f'<section><h3>{escape(words("more_data"))}</h3><p class="sub">{escape(told)}</p>'
        f"{drawn}</section>"
    )


# ---- the examples behind a number --------------------------------------------------------------
def cell_html(report: ClassifyReport, true: str, said: str, words: TeachWords) -> str:
    """The examples with the label ``true`` that were taken for ``said``."""
    found = [one for one in report.predictions if one.label == true and one.predicted == said]
    rows = "".join(mistake_html(one, report.labels, words, live=True) for one in found[:200])
    title = (
        counted(words, "cell_right", len(found))
        if true == said
        else counted(words, "cell_wrong", len(found))
    )
    told = title.replace("[true]", true).replace("[said]", said)
    return anew(
        f'<section class="cell mistakes" data-true="{escape(true)}" data-said="{escape(said)}" '
        f'tabindex="-1"><div class="cell-head"><h3>{escape(told)}</h3><button type="button" '
        f'class="plain" data-do="close-cell">{escape(words("close"))}</button></div>'
        f'<p class="sub">{escape(words("relabel_help"))}</p><ul>{rows}</ul></section>'
    )
