"""How the figures of an evaluation look on a terminal, and in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from chatapp.commands.terminal import stdout
from chatapp.flows.evaluation import AnswerScores, Calibration, RetrievalScores, RouteScores
from chatapp.flows.evaluation.matching import Miss
from chatapp.flows.evaluation.thresholds import Point

_SHOWN_MISSES = 10
_LONGEST = 60
"""Characters of a text in a table."""

_KEYS = {
    "recall_at_1": "recall@1",
    "recall_at_5": "recall@5",
    "ndcg_at_10": "ndcg@10",
    "accuracy_at_1": "accuracy@1",
}

Scores = RetrievalScores | RouteScores | AnswerScores


def as_json(scores: Scores) -> dict[str, object]:
    """Every figure, under the name that it is known by."""
    return {_KEYS.get(name, name): value for name, value in asdict(scores).items()}


def show_retrieval(scores: RetrievalScores) -> None:
    """Draw the figures of a search."""
    skipped = f", {scores.skipped} without a document skipped" if scores.skipped else ""
    _figures(
        f"{scores.questions} questions{skipped}",
        {
            "recall@1": _share(scores.recall_at_1),
            "recall@5": _share(scores.recall_at_5),
            "MRR": _share(scores.mrr),
            "nDCG@10": _share(scores.ndcg_at_10),
            "a search takes": f"{scores.median_ms:.1f} ms, 95% under {scores.p95_ms:.1f} ms",
        },
    )
    _misses(scores.misses)


def show_routes(scores: RouteScores) -> None:
    """Draw which way questions went."""
    _figures(
        f"{scores.questions} questions, {scores.in_scope} in scope",
        {
            "accuracy@1": _share(scores.accuracy_at_1),
            "answered in scope": _share(scores.answered_in_scope),
            "rightly, of those": _share(scores.answered_rightly),
            "refused out of scope": _share(scores.refused_out_of_scope),
        },
    )
    routes = sorted({route for row in scores.confusion.values() for route in row})
    table = Table("expected", *routes, title="Confusion of routes", title_justify="left")
    for wanted, row in scores.confusion.items():
        table.add_row(wanted, *(str(row.get(route, 0)) for route in routes))
    stdout.print(table)
    _misses(scores.misses)


def show_answers(scores: AnswerScores) -> None:
    """Draw how good whole answers are."""
    _figures(
        f"{scores.questions} questions, {scores.in_scope} in scope",
        {
            "answer contained": _share(scores.contained),
            "sentences supported": _share(scores.sentences_supported),
            "refused rightly": _share(scores.refused_rightly),
            "refused wrongly": _share(scores.refused_wrongly),
            "failed": str(scores.failed),
            "routes": ", ".join(f"{route} {count}" for route, count in scores.routes.items()),
        },
    )
    _misses(scores.misses)


def show_calibration(found: Calibration, *, applied: bool) -> None:
    """Draw both curves and the thresholds that were found."""
    for name, curve in (("threshold", found.curve), ("FAQ threshold", found.faq_curve)):
        if curve:
            table = Table(name, *_POINT[2:], title=f"Other values of the {name}")
            table.title_justify = "left"
            for point in curve:
                value = point.threshold if name == "threshold" else point.faq_threshold
                table.add_row(f"{value:.2f}", *_point(point)[2:])
            stdout.print(table)
    table = Table("", *_POINT)
    table.add_row("in use", *_point(found.before))
    table.add_row("best", *_point(found.best))
    stdout.print(table)
    if not found.reached:
        stdout.print("No threshold refuses as much as was asked for; this is the best balance.")
    stdout.print("The best ones are in use now." if applied else "Keep the best with --apply.")


_POINT = ("threshold", "FAQ threshold", "answered", "rightly", "refused out of scope")


def _point(point: Point) -> tuple[str, ...]:
    shares = (point.answered, point.answered_rightly, point.refused)
    return (f"{point.threshold:.2f}", f"{point.faq_threshold:.2f}", *map(_share, shares))


def _figures(title: str, rows: Mapping[str, str]) -> None:
    table = Table(show_header=False, title=title, title_justify="left")
    for name, value in rows.items():
        table.add_row(name, value)
    stdout.print(table)


def _misses(misses: Sequence[Miss]) -> None:
    if not misses:
        return
    title = f"The first of {len(misses)} that went wrong; --json names all"
    table = Table("line", "question", "expected", "got", title=title, title_justify="left")
    for miss in misses[:_SHOWN_MISSES]:
        texts = (miss.question, miss.expected, miss.got)
        # As Text, for what stands in brackets in a document is no markup.
        table.add_row(str(miss.line), *(Text(_short(text)) for text in texts))
    stdout.print(table)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
