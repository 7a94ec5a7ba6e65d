"""Step 3: a run while it goes on, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from chatapp.training_records import (
    UNFINISHED,
    ClassifyReport,
    MetricPoint,
    Report,
    Run,
    SampleAnswer,
)
from chatapp.ui.staff.figures import lasting
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.amounts import figure, lasting_about, memory, percent
from chatapp.ui.teach.curves import Line, chart, losses
from chatapp.ui.teach.texts import TeachWords

_SOON: Final = 1000
_LATER: Final = 3000
"""Milliseconds until the page asks again: while it learns, and while it waits in the queue."""
_SAMPLES: Final = 6
_BASELINE_NOTICE: Final = "The instant baseline"
RESUMABLE: Final = ("interrupted", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class Watched:
    """What the step is drawn from.

    Attributes:
        ahead: how many runs are before it in the queue.
        report: the instant baseline's while it goes on, its own once it is done.
    """

    run: Run
    metrics: Sequence[MetricPoint]
    samples: Sequence[SampleAnswer]
    log: str
    ahead: int = 0
    report: Report | None = None


def run_html(watched: Watched, words: TeachWords) -> str:
    """All of it; the page asks for it again and again while it is unfinished."""
    run, state = watched.run, watched.run.state
    going = state.status in UNFINISHED
    wait = 0 if not going else _LATER if state.status == "queued" else _SOON
    summary = f"{run.name} · {words(f'status_{state.status}')}"
    if not going and watched.metrics:
        summary += f" · {lasting_about(watched.metrics[-1].seconds, words)}"
    return (
        f'<div class="run" data-run="{escape(run.id)}" data-status="{state.status}" '
        f'data-dataset="{escape(run.dataset_id)}" data-task="{run.task}" data-again="{wait}" '
        f'data-summary="{escape(summary)}" data-done="{"no" if going else "yes"}">'
        f"{_head(watched, words)}{_notices(watched, words)}{_baseline(watched, words)}"
        f"{_figures(watched.metrics, words)}{_curves(watched.metrics, words)}"
        f"{_samples(watched.samples, words)}{_log(watched, words)}</div>"
    )


# ---- where it stands ---------------------------------------------------------------------------
def _head(watched: Watched, words: TeachWords) -> str:
    run, state = watched.run, watched.run.state
    going = state.status in UNFINISHED
    facts = [words.phase(state.phase)] if state.phase and state.status == "running" else []
    if state.steps:
        facts.append(words("step_of", n=state.step, of=state.steps))
    if state.seconds_left is not None and state.status == "running":
        facts.append(lasting(state.seconds_left, words))
    if state.status == "starting" and state.started_at is not None:
        waited = (datetime.now(UTC) - state.started_at).total_seconds()
        facts.append(words("getting_ready", time=lasting_about(waited, words)))
    if state.status == "queued":
        facts.append(
            words("ahead_one")
            if watched.ahead == 1
            else words("ahead", n=watched.ahead)
            if watched.ahead
            else words("next_up")
        )
    bar = _bar(run, words) if going and state.status != "queued" else ""
    reason = (
        f'<p class="told wrong" role="alert">{sign("alert")}<span>{escape(state.reason)}</span></p>'
        if state.reason and state.status in ("failed", "interrupted")
        else ""
    )
    return (
        f'<div class="run-head"><div><h3>{escape(run.name)} '
        f'<span class="state" data-status="{state.status}" role="status">'
        f"{escape(words(f'status_{state.status}'))}</span></h3>"
        f'<p class="facts">{escape(" · ".join(facts))}</p></div>'
        f'<div class="acts">{_acts(run, words)}</div></div>{bar}{reason}'
    )


def _bar(run: Run, words: TeachWords) -> str:
    state = run.state
    label = escape(words("progress_of", name=run.name))
    if not state.steps:
        kind = 'class="bar unknown" role="progressbar"'
        return f'<span {kind} aria-label="{label}"><span></span></span>'
    share = min(1.0, state.step / state.steps)
    return (
        f'<span class="bar" role="progressbar" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share * 100:.0f}">'
        f'<span style="width:{share * 100:.1f}%"></span></span>'
    )


def _acts(run: Run, words: TeachWords) -> str:
    status = run.state.status
    if status in ("starting", "running"):
        return (
            f'<details class="menu" data-keep="stop"><summary class="plain">{escape(words("stop"))}'
            f'{sign("down")}</summary><div class="menu-list">'
            f'<button type="button" data-do="stop" data-what="keep"><strong>'
            f"{escape(words('stop_keep'))}</strong><small>{escape(words('stop_keep_help'))}</small>"
            f'</button><button type="button" data-do="stop" data-what="discard"><strong>'
            f"{escape(words('stop_discard'))}</strong>"
            f"<small>{escape(words('stop_discard_help'))}</small></button></div></details>"
        )
    if status == "queued":
        return _act("stop", words("leave_queue"), ' data-what="discard"')
    acts = ""
    if status in RESUMABLE:
        acts += _act("resume", words("resume"), kind="solid")
    if status != "stopping":
        acts += _act("again", words("again"))
    if status in ("failed", "interrupted", "discarded"):
        acts += _act("discard-run", words("discard_run"))
    return acts


def _act(do: str, label: str, more: str = "", kind: str = "plain") -> str:
    return f'<button type="button" class="{kind}" data-do="{do}"{more}>{escape(label)}</button>'


def _notices(watched: Watched, words: TeachWords) -> str:
    told = [one for one in watched.run.state.notices if not one.startswith(_BASELINE_NOTICE)]
    notices = "".join(f"<li>{escape(one)}</li>" for one in told)
    fine = (
        f'<p class="sub">{escape(words("may_leave"))}</p>'
        if watched.run.state.status in UNFINISHED
        else ""
    )
    return (f'<ul class="notices">{notices}</ul>' if notices else "") + fine


def _baseline(watched: Watched, words: TeachWords) -> str:
    """What the instant baseline reached; where its report can be read, instead of its notice."""
    report = watched.report
    if not isinstance(report, ClassifyReport) or watched.run.state.status not in UNFINISHED:
        return ""
    told = words("instant_baseline", share=percent(report.baseline.accuracy))
    return f'<p class="baseline">{sign("check")}<span>{escape(told)}</span></p>'


# ---- what it learns ----------------------------------------------------------------------------
def _figures(points: Sequence[MetricPoint], words: TeachWords) -> str:
    latest = {name: _latest(points, name) for name in _SMALL}
    shown = "".join(
        f"<div><dt>{escape(words(f'figure_{name}'))}</dt>"
        f"<dd>{escape(_shown(name, value))}</dd></div>"
        for name, value in latest.items()
        if value is not None
    )
    return f'<dl class="small-figures">{shown}</dl>' if shown else ""


_SMALL: Final = (
    "eval_loss",
    "eval_accuracy",
    "loss",
    "learning_rate",
    "grad_norm",
    "tokens_per_second",
    "memory_mb",
)


def _latest(points: Sequence[MetricPoint], name: str) -> float | None:
    return next(
        (value for point in reversed(points) if (value := getattr(point, name)) is not None), None
    )


def _shown(name: str, value: float | None) -> str:
    if value is not None and name == "eval_accuracy":
        return percent(value)
    if value is not None and name == "memory_mb":
        return memory(value)
    return figure(value)


def _curves(points: Sequence[MetricPoint], words: TeachWords) -> str:
    lines = losses(points, words)
    if not lines:
        return ""
    drawn = chart(lines, words, label=words("loss_chart"), across=words("steps"), key="loss")
    right = [
        (point.step, point.eval_accuracy) for point in points if point.eval_accuracy is not None
    ]
    more = ""
    if len(right) > 1:
        line = Line(words("validation_accuracy"), "a", right)
        more = chart(
            [line], words, label=words("accuracy_chart"), across=words("steps"), key="accuracy"
        )
    return (
        f'<section class="curves"><h3>{escape(words("curves"))}</h3>'
        f'<p class="sub">{escape(words("curves_help"))}</p><div class="figures-row">{drawn}{more}'
        "</div></section>"
    )


def _samples(samples: Sequence[SampleAnswer], words: TeachWords) -> str:
    by_question: dict[str, list[SampleAnswer]] = {}
    for sample in samples:
        by_question.setdefault(sample.question, []).append(sample)
    if not by_question:
        return ""
    shown = "".join(_sample(*one, words) for one in list(by_question.items())[:_SAMPLES])
    return f'<section class="samples"><h3>{escape(words("samples"))}</h3><ul>{shown}</ul></section>'


def _sample(question: str, answers: Sequence[SampleAnswer], words: TeachWords) -> str:
    last = answers[-1]
    earlier = "".join(
        f"<li><span>{escape(words('at_step', n=one.step))}</span>{escape(one.answer)}</li>"
        for one in reversed(answers[:-1])
    )
    folded = (
        f'<details data-keep="sample-{escape(question[:40])}"><summary>'
        f"{escape(words('earlier_answers', n=len(answers) - 1))}</summary>"
        f"<ol>{earlier}</ol></details>"
        if earlier
        else ""
    )
    expected = (
        f'<p class="sub">{escape(words("expected", answer=last.expected))}</p>'
        if last.expected
        else ""
    )
    return (
        f'<li><p class="question">{escape(question)}</p><p class="answer"><span class="at">'
        f"{escape(words('at_step', n=last.step))}</span>{escape(last.answer)}</p>"
        f"{expected}{folded}</li>"
    )


def _log(watched: Watched, words: TeachWords) -> str:
    if not watched.log.strip():
        return ""
    return (
        f'<details class="log" data-keep="log"><summary>{escape(words("log"))}</summary>'
        f'<pre tabindex="0">{escape(watched.log)}</pre>'
        f'<a href="/teach/files/runs/{escape(watched.run.id)}/log.txt" download>'
        f"{escape(words('download_log'))}</a></details>"
    )


def nothing_run_html(words: TeachWords) -> str:
    """Before a run was started."""
    return f'<div class="run none"><p>{escape(words("no_run_yet"))}</p></div>'
