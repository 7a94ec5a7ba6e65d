"""``evaluate adapter``: how good something is that was learned, on a file it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.table import Table

from chatapp import bootstrap
from chatapp.commands.terminal import (
    AsJson,
    one_sentence_on_failure,
    read_settings,
    stderr,
    stdout,
    write_json,
)
from chatapp.flows.adapters_measuring import measure, read_test
from chatapp.flows.finetune_bases import AUTO, Bases
from chatapp.training_records import ChatReport, ClassifyReport, Report

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)
_SHOWN_LABELS = 12
_SHOWN_ANSWERS = 3


def adapter(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An adapter's name.")],
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, metavar="FILE", help="Labelled data, as for training."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Measure what was learned on a file: the whole report, with every answer in JSON.

    An adapter that was imported keeps it as its report, by which it may go live.
    """
    with one_sentence_on_failure():
        settings = read_settings()
        registry = bootstrap.taught(settings).adapters
        found = registry.get(name)
        examples = read_test(file, "chat" if found.slot == "chat" else "classify")
        learned = registry.learned(found, examples)
        bases = Bases(settings.model, settings.data)
        with stderr.status(f"Measuring {name} on {len(examples):,} rows"):
            report = measure(
                found, examples, lambda: Path(bases.learner("chat", AUTO, {}, len(examples)))
            )
        kept = not learned and registry.keep_report(name, report, examples)
    if as_json:
        rows = {"adapter": name, "rows": len(examples), "learned_rows": learned, "kept": kept}
        write_json(rows | {"report": _REPORT.dump_python(report, mode="json")})
        return
    if learned:
        stderr.print(
            f"warning: {name} has learned from {learned:,} of these {len(examples):,} rows, so the "
            "figures are too good.",
            markup=False,
        )
    typer.echo(report.sentence)
    if isinstance(report, ClassifyReport):
        _show_classifier(report)
    else:
        _show_chat(report)
    if kept:
        typer.echo(f"This is the report of {name} from now on.")


def _show_classifier(report: ClassifyReport) -> None:
    table = Table("Label", "Precision", "Recall", "F1", "Rows", box=None)
    weakest = sorted(report.per_label, key=lambda one: one.f1)
    for score in (*weakest[:_SHOWN_LABELS], report.macro):
        figures = (f"{value:.3f}" for value in (score.precision, score.recall, score.f1))
        table.add_row(score.label or "mean", *figures, f"{score.support:,}")
    stdout.print(table)
    if len(weakest) > _SHOWN_LABELS:
        typer.echo(f"The {_SHOWN_LABELS} weakest of {len(weakest):,} labels; all with --json.")
    typer.echo(
        f"Accuracy {report.accuracy:.1%}, macro F1 {report.macro.f1:.3f}, calibration error "
        f"{report.calibration_error:.3f}; instant baseline {report.baseline.accuracy:.1%}."
    )


def _show_chat(report: ChatReport) -> None:
    table = Table("", "Word for word", "Contains it", "ROUGE-L", "Perplexity", box=None)
    for scores in (report.base, report.few_shot, report.adapter):
        perplexity = "" if scores.perplexity is None else f"{scores.perplexity:.2f}"
        table.add_row(
            scores.name,
            f"{scores.exact:.1%}",
            f"{scores.contained:.1%}",
            f"{scores.rouge_l:.3f}",
            perplexity,
        )
    stdout.print(table)
    check = report.general
    verdict = "kept" if check.kept else "lost"
    typer.echo(f"General ability {verdict}: {check.before:.0%} before, {check.after:.0%} after.")
    for pair in report.answers[:_SHOWN_ANSWERS]:
        typer.echo(f"\n{pair.question}\n  before: {pair.before}\n  after:  {pair.after}")
