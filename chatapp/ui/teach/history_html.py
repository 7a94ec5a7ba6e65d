"""Beside the steps: what is live, the runs, and the adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from html import escape
from typing import Final, get_args

from chatapp.training_records import UNFINISHED, Adapter, Promotion, Run, Slot
from chatapp.ui.staff.figures import day
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.report_html import headline
from chatapp.ui.teach.result_html import export_menu
from chatapp.ui.teach.texts import TeachWords

SLOTS: Final[tuple[Slot, ...]] = get_args(Slot)
_AGAIN: Final = 2500
_MOST: Final = 12
"""Runs and adapters that are listed before the rest is folded away."""


@dataclass(frozen=True, slots=True)
class History:
    """What the pane is drawn from.

    Attributes:
        promotions: of each slot, newest first.
        problems: why what is live in a slot does not answer, where it does not.
        current: id of the run that is shown.
    """

    runs: Sequence[Run]
    adapters: Sequence[Adapter]
    promotions: Mapping[Slot, Sequence[Promotion]] = field(default_factory=dict)
    problems: Mapping[Slot, str] = field(default_factory=dict)
    current: str = ""


def history_html(history: History, words: TeachWords, zone: tzinfo) -> str:
    """The pane; it asks again while any run is unfinished."""
    going = any(run.state.status in UNFINISHED for run in history.runs)
    return (
        f'<div class="history" data-again="{_AGAIN if going else 0}">{_live(history, words, zone)}'
        f"{_runs(history, words, zone)}{_adapters(history, words, zone)}</div>"
    )


# ---- what is live ------------------------------------------------------------------------------
def _live(history: History, words: TeachWords, zone: tzinfo) -> str:
    live = {adapter.slot: adapter for adapter in history.adapters if adapter.live}
    rows = "".join(
        _slot(slot, live.get(slot), history, words, zone)
        for slot in SLOTS
        if slot == "chat" or slot in live or history.promotions.get(slot)
    )
    return f'<section class="live"><h3>{escape(words("live_now"))}</h3><ul>{rows}</ul></section>'


def _slot(
    slot: Slot,
    adapter: Adapter | None,
    history: History,
    words: TeachWords,
    zone: tzinfo,
) -> str:
    promotions = history.promotions.get(slot, ())
    problem = history.problems.get(slot, "")
    wrong = f'<span class="problem">{escape(problem)}</span>' if problem else ""
    name = adapter.name if adapter else words("base_itself" if slot == "chat" else "nobody")
    since = ""
    if promotions and adapter:
        since = words("since", day=day(promotions[0].at, words, zone))
        if promotions[0].reason:
            since += " · " + words("because", reason=promotions[0].reason)
    before = promotions[1].adapter if len(promotions) > 1 else None
    back = (
        f'<button type="button" class="plain small" data-do="rollback" data-slot="{slot}">'
        f"{sign('undo')}{escape(words('roll_back_to', name=before or words('base_short')))}"
        "</button>"
        if adapter
        else ""
    )
    return (
        f'<li data-live="{"yes" if adapter else "no"}"><span class="dot"></span><div>'
        f'<span class="sub">{escape(words(f"slot_{slot}"))}</span><strong>{escape(name)}</strong>'
        f'<span class="sub">{escape(since)}</span>{wrong}</div>{back}</li>'
    )


# ---- runs --------------------------------------------------------------------------------------
def _runs(history: History, words: TeachWords, zone: tzinfo) -> str:
    if not history.runs:
        return ""
    shown = "".join(_run(run, history.current, words, zone) for run in history.runs[:_MOST])
    rest = "".join(_run(run, history.current, words, zone) for run in history.runs[_MOST:])
    folded = (
        f'<details data-keep="runs"><summary>{escape(words("earlier_runs"))}</summary>'
        f"<ul>{rest}</ul></details>"
        if rest
        else ""
    )
    return (
        f'<section class="runs"><h3>{escape(words("runs"))}</h3><ul>{shown}</ul>{folded}'
        f'<button type="button" class="solid small" data-do="compare" hidden></button></section>'
    )


def _run(run: Run, current: str, words: TeachWords, zone: tzinfo) -> str:
    state = run.state
    facts = [words(f"status_{state.status}")]
    bar = ""
    if state.status == "running" and state.steps:
        share = state.step / state.steps
        facts = [f"{share:.0%}"]
        bar = f'<span class="bar"><span style="width:{share * 100:.1f}%"></span></span>'
    facts.append(day(run.created_at, words, zone))
    here = ' aria-current="true"' if run.id == current else ""
    label = escape(words("compare_run", name=run.name))
    return (
        f'<li data-run="{escape(run.id)}" data-status="{state.status}"{here}>'
        f'<input type="checkbox" data-compare aria-label="{label}" title="{label}">'
        f'<a class="open" data-do="open-run" href="?run={escape(run.id)}"{here}>'
        f'<span class="name">{escape(run.name)}</span>'
        f'<span class="sub">{escape(" · ".join(facts))}</span>{bar}</a></li>'
    )


# ---- adapters ----------------------------------------------------------------------------------
def _adapters(history: History, words: TeachWords, zone: tzinfo) -> str:
    rows = "".join(_adapter(one, words, zone) for one in history.adapters[:_MOST])
    rest = "".join(_adapter(one, words, zone) for one in history.adapters[_MOST:])
    folded = (
        f'<details data-keep="adapters"><summary>{escape(words("more_adapters"))}</summary>'
        f"<ul>{rest}</ul></details>"
        if rest
        else ""
    )
    none = f'<p class="sub none">{escape(words("no_adapters"))}</p>' if not rows else ""
    return (
        f'<section class="adapters"><h3>{escape(words("adapters"))}</h3>{none}<ul>{rows}</ul>'
        f'{folded}<button type="button" class="plain small" data-do="pick-adapter">'
        f"{sign('upload')}{escape(words('import_adapter'))}</button>"
        f'<div id="imports" role="status"></div></section>'
    )


def _adapter(adapter: Adapter, words: TeachWords, zone: tzinfo) -> str:
    facts = [words(f"slot_{adapter.slot}")]
    if adapter.report is not None:
        facts.append(headline(adapter.report)[0])
    facts.append(day(adapter.created_at, words, zone))
    live = (
        f'<span class="use" data-used="yes">{escape(words("live"))}</span>' if adapter.live else ""
    )
    name = escape(adapter.name)
    make = (
        ""
        if adapter.live
        else f'<button type="button" data-do="gate" data-name="{name}">{escape(words("make_live"))}'
        "</button>"
    )
    label = escape(words("delete_adapter", name=adapter.name))
    return (
        f'<li data-name="{name}"><details data-keep="adapter-{name}"><summary><span class="name">'
        f'{name}</span>{live}<span class="sub">{escape(" · ".join(facts))}</span></summary>'
        f'{_lineage(adapter, words)}<div class="adapter-acts">{make}{export_menu(adapter, words)}'
        f'<button type="button" data-do="remove-adapter" data-name="{name}" aria-label="{label}">'
        f"{escape(words('delete'))}</button></div></details></li>"
    )


def _lineage(adapter: Adapter, words: TeachWords) -> str:
    known = [
        ("lineage_base", f"{adapter.base_model} {adapter.base_hash[:10]}".strip()),
        ("lineage_data", adapter.data_hash[:10]),
        ("lineage_run", adapter.run_id or words("imported")),
    ]
    rows = "".join(
        f"<dt>{escape(words(key))}</dt><dd>{_linked(key, value, adapter)}</dd>"
        for key, value in known
        if value
    )
    said = f'<p class="sub">{escape(words.verdict(adapter.report))}</p>' if adapter.report else ""
    return f'{said}<dl class="lineage">{rows}</dl>'


def _linked(key: str, value: str, adapter: Adapter) -> str:
    if key == "lineage_run" and adapter.run_id:
        run = escape(adapter.run_id)
        return f'<a data-do="open-run" data-run="{run}" href="?run={run}">{run}</a>'
    return escape(value)
