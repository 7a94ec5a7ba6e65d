"""The report of a run, as it stands in step 4 and in the file that is downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from chatapp.training_records import ClassifyReport, Report
from chatapp.ui.teach.answers_html import answers_report
from chatapp.ui.teach.labels_html import labels_report
from chatapp.ui.teach.texts import TeachWords


def report_html(report: Report, words: TeachWords, *, live: bool = True) -> str:
    """Every section of it.

    Args:
        live: on the page, where numbers open the examples behind them; False in a file.
    """
    if isinstance(report, ClassifyReport):
        return labels_report(report, words, live=live)
    return answers_report(report, words)


def headline(report: Report) -> tuple[str, str]:
    """The one number of a report, and what it was before; for lists, where there is no room."""
    if isinstance(report, ClassifyReport):
        return f"{report.accuracy:.1%}", f"{report.baseline.accuracy:.1%}"
    return f"{report.adapter.contained:.0%}", f"{report.base.contained:.0%}"


def helped(report: Report) -> bool:
    """Whether the fine-tune beat what there was without it."""
    if isinstance(report, ClassifyReport):
        tuned = report.fine_tuned
        better = tuned is not None and tuned.accuracy > report.baseline.accuracy
        return report.winner == "adapter" and better
    best = max(report.base.contained, report.few_shot.contained)
    return report.adapter.contained > best and report.general.kept


def rows_used(rows: Mapping[str, int], words: TeachWords) -> str:
    """How many rows each part had."""
    told = " · ".join(words(f"part_{name}", n=count) for name, count in rows.items() if count)
    return f'<p class="facts">{escape(told)}</p>'
