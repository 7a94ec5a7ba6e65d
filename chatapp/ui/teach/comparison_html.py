"""Several runs beside each other: their curves over one another, and what was set differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from chatapp.training_records import MetricPoint, Report, Run
from chatapp.ui.teach.amounts import figure, lasting_about
from chatapp.ui.teach.curves import Line, chart
from chatapp.ui.teach.report_html import headline
from chatapp.ui.teach.texts import TeachWords

MOST: Final = 6
"""Runs that can be told apart by colour."""
_COLOURS: Final = "acdefb"


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the runs."""

    run: Run
    metrics: Sequence[MetricPoint]
    report: Report | None


def comparison_html(runs: Sequence[Compared], words: TeachWords) -> str:
    """The section; empty for fewer than two."""
    if len(runs) < 2:
        return ""
    heads = "".join(
        f'<th scope="col"><span class="key" data-line="{colour}"></span>{escape(one.run.name)}</th>'
        for colour, one in zip(_COLOURS, runs, strict=False)
    )
    return (
        f'<section class="comparison" tabindex="-1"><div class="cell-head"><h2>'
        f"{escape(words('comparing', n=len(runs)))}</h2>"
        '<button type="button" class="plain" data-do="close-comparison">'
        f"{escape(words('close'))}</button></div>{_curves(runs, words)}"
        f'<div class="scroll" tabindex="0"><table class="scores beside"><thead><tr><td></td>{heads}'
        f"</tr></thead><tbody>{_results(runs, words)}{_settings(runs)}</tbody></table></div>"
        f'<p class="sub">{escape(_same(runs, words))}</p></section>'
    )


def _curves(runs: Sequence[Compared], words: TeachWords) -> str:
    lines: list[Line] = []
    for colour, one in zip(_COLOURS, runs, strict=False):
        held_out = [(p.step, p.eval_loss) for p in one.metrics if p.eval_loss is not None]
        train = [(p.step, p.loss) for p in one.metrics if p.loss is not None]
        lines.append(Line(f"{one.run.name} · {words('validation_short')}", colour, held_out))
        lines.append(Line(f"{one.run.name} · {words('train_short')}", colour, train, dotted=True))
    return chart(lines, words, label=words("loss_chart"), across=words("steps"), key="comparison")


def _results(runs: Sequence[Compared], words: TeachWords) -> str:
    figures = (
        ("result", [headline(one.report)[0] if one.report else "–" for one in runs]),
        ("before", [headline(one.report)[1] if one.report else "–" for one in runs]),
        ("lowest_loss", [figure(_lowest(one.metrics)) for one in runs]),
        ("took", [_took(one, words) for one in runs]),
        ("data", [one.run.dataset for one in runs]),
    )
    return "".join(_row(escape(words(f"compare_{key}")), values) for key, values in figures)


def _settings(runs: Sequence[Compared]) -> str:
    """Those that differ; the names of the runs stand above."""
    rows = []
    for name in _setting_names(runs):
        values = [_said(one.run.config.get(name)) for one in runs]
        if len(set(values)) > 1:
            rows.append(_row(f"<code>{escape(name)}</code>", values))
    return "".join(rows)


def _same(runs: Sequence[Compared], words: TeachWords) -> str:
    """Those that do not, by their names."""
    same = [
        name
        for name in _setting_names(runs)
        if len({_said(one.run.config.get(name)) for one in runs}) == 1
    ]
    return words("same_in_all", names=", ".join(same)) if same else ""


def _setting_names(runs: Sequence[Compared]) -> list[str]:
    names = dict.fromkeys(name for one in runs for name in one.run.config)
    return [name for name in names if name != "name"]


def _row(head: str, values: Sequence[str]) -> str:
    differs = ' class="differs"' if len(set(values)) > 1 else ""
    cells = "".join(f"<td>{escape(value)}</td>" for value in values)
    return f'<tr{differs}><th scope="row">{head}</th>{cells}</tr>'


def _said(value: object) -> str:
    return "–" if value in (None, "") else str(value)


def _lowest(metrics: Sequence[MetricPoint]) -> float | None:
    found = [point.eval_loss for point in metrics if point.eval_loss is not None]
    return min(found, default=None)


def _took(one: Compared, words: TeachWords) -> str:
    return lasting_about(one.metrics[-1].seconds, words) if one.metrics else "–"
