"""The confusion matrix: a table that is a picture, whose cells open the examples behind them."""

from __future__ import annotations

from html import escape
from typing import Final

from chatapp.training_records import ClassifyReport
from chatapp.ui.teach.texts import TeachWords

_ROOMY: Final = 14
"""Labels up to which every cell shows its number at a readable size."""


def matrix_html(report: ClassifyReport, words: TeachWords, *, live: bool) -> str:
    """Rows: the true label; columns: what was said. Many labels scroll under fixed heads."""
    if not report.labels:
        return ""
    heads = "".join(
        f'<th scope="col"><span title="{escape(label)}">{escape(label)}</span></th>'
        for label in report.labels
    )
    most = max((max(row, default=0) for row in report.confusion), default=0) or 1
    rows = "".join(
        f'<tr><th scope="row" title="{escape(label)}"><span>{escape(label)}</span></th>'
        f"{_row(report, index, most, words, live=live)}</tr>"
        for index, label in enumerate(report.labels)
    )
    kind = "roomy" if len(report.labels) <= _ROOMY else "dense"
    return (
        f'<section class="matrix-part"><h3>{escape(words("matrix"))}</h3><p class="sub">'
        f"{escape(words('matrix_help' if live else 'matrix_file'))}</p>"
        f'<div class="scroll matrix-scroll" tabindex="0" role="region" '
        f'aria-label="{escape(words("matrix"))}"><table class="matrix {kind}"><thead><tr>'
        f'<td class="corner"><span>{escape(words("true_label"))} ↓</span> '
        f"<span>{escape(words('said_label'))} →</span></td>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _row(report: ClassifyReport, index: int, most: int, words: TeachWords, *, live: bool) -> str:
    total = sum(report.confusion[index]) or 1
    true = report.labels[index]
    return (
        "".join(
            _cell(true, report.labels[column], count, count / total, words, live=live)
            for column, count in enumerate(report.confusion[index])
        )
        if most
        else ""
    )


def _cell(true: str, said: str, count: int, share: float, words: TeachWords, *, live: bool) -> str:
    if not count:
        return "<td></td>"
    kind = "right" if true == said else "wrong"
    strong = " strong" if share > 0.55 else ""
    style = f'style="--share:{share:.3f}"'
    if not live:
        return f'<td class="{kind}{strong}" {style}>{count}</td>'
    label = escape(words("cell_label", n=count, true=true, said=said))
    return (
        f'<td class="{kind}{strong}" {style}><button type="button" data-do="cell" '
        f'data-true="{escape(true)}" data-said="{escape(said)}" title="{label}" '
        f'aria-label="{label}">{count}</button></td>'
    )
