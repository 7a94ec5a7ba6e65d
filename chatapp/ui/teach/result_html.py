"""Step 4: did it help, the report, and what to do with what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from chatapp.training_records import Adapter, Report, Run
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.anew import anew
from chatapp.ui.teach.report_html import helped, report_html, rows_used
from chatapp.ui.teach.texts import TeachWords


@dataclass(frozen=True, slots=True)
class Result:
    """What the step is drawn from.

    Attributes:
        adapter: None before it is registered, and after it was discarded.
        awaited: whether it may still be on its way.
    """

    run: Run
    report: Report
    adapter: Adapter | None
    awaited: bool = False


def verdict_html(result: Result, words: TeachWords) -> str:
    """The sentence, and what can be done with what was learned."""
    run, report = result.run, result.report
    good = "yes" if helped(report) else "no"
    wait = _AGAIN if result.adapter is None and result.awaited else 0
    return (
        f'<div class="verdict-part" data-run="{escape(run.id)}" data-again="{wait}" '
        f'data-summary="{escape(words.verdict(report))}">'
        f'<div class="headline" data-helped="{good}">'
        f"{sign('check' if good == 'yes' else 'alert')}<p>{escape(words.verdict(report))}</p></div>"
        f"{_acts(result, words)}{rows_used(report.rows, words)}</div>"
    )


def result_html(result: Result, words: TeachWords) -> str:
    """The report."""
    run = result.run
    return anew(
        f'<div class="result" data-run="{escape(run.id)}" data-dataset="{escape(run.dataset_id)}">'
        f"{report_html(result.report, words)}{_downloads(run, words)}</div>"
    )


def _acts(result: Result, words: TeachWords) -> str:
    adapter = result.adapter
    if adapter is None:
        told = words("registering" if result.awaited else "was_discarded")
        return f'<p class="facts" role="status">{escape(told)}</p>'
    compare = (
        f'<a class="plain" href="/?compare={quote(adapter.name, safe="")}">'
        f"{escape(words('compare_in_chat'))}</a>"
        if adapter.slot == "chat"
        else ""
    )
    live = (
        f'<span class="use" data-used="yes">{escape(words("is_live"))}</span>'
        if adapter.live
        else '<button type="button" class="solid" data-do="gate" '
        f'data-name="{escape(adapter.name)}">'
        f"{escape(words('make_live'))}</button>"
    )
    discard = (
        ""
        if adapter.live
        else '<button type="button" class="plain danger" data-do="remove-adapter" '
        f'data-name="{escape(adapter.name)}">{escape(words("discard"))}</button>'
    )
    return f'<div class="result-acts">{live}{compare}{export_menu(adapter, words)}{discard}</div>'


def export_menu(adapter: Adapter, words: TeachWords) -> str:
    """Ways to take an adapter away."""
    kinds = ("peft", "card") if adapter.kind == "classifier" else ("peft", "merged", "card")
    where = f"/teach/files/adapters/{quote(adapter.name, safe='')}"
    links = "".join(
        f'<a href="{where}/{kind}" download>{escape(words(_export_text(adapter, kind)))}</a>'
        for kind in kinds
    )
    return (
        f'<details class="menu"><summary class="plain">{sign("save")}{escape(words("export"))}'
        f'</summary><div class="menu-list">{links}</div></details>'
    )


def _export_text(adapter: Adapter, kind: str) -> str:
    classifier = kind == "peft" and adapter.kind == "classifier"
    return "export_classifier" if classifier else f"export_{kind}"


def _downloads(run: Run, words: TeachWords) -> str:
    where = f"/teach/files/runs/{escape(run.id)}"
    return (
        f'<p class="downloads">{escape(words("report_as"))} '
        f'<a href="{where}/report.html" download>HTML</a> · '
        f'<a href="{where}/report.json" download>JSON</a> · '
        f'<a href="{where}/config.yaml" download>{escape(words("its_settings"))}</a></p>'
    )


_AGAIN: Final = 1500
"""Milliseconds until the page looks again whether the adapter has been registered."""


def no_result_html(words: TeachWords) -> str:
    """Before there is a report."""
    return f'<div class="verdict-part none"><p>{escape(words("no_result_yet"))}</p></div>'


def gate_html(adapter: Adapter, passed: bool, sentences: Sequence[str], words: TeachWords) -> str:
    """Whether it may go live; a shut gate opens with a reason."""
    told = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    title = words("gate_open" if passed else "gate_shut", name=adapter.name)
    reason = (
        ""
        if passed
        else f'<label><span>{escape(words("override_reason"))}</span><textarea name="reason" '
        f'rows="2" required maxlength="500"></textarea>'
        f"<small>{escape(words('override_help'))}</small></label>"
    )
    go = words("make_live" if passed else "make_live_anyway")
    return anew(
        f'<form class="card gate" data-form="promote" data-name="{escape(adapter.name)}" '
        f'data-passed="{"yes" if passed else "no"}"><h3>'
        f"{sign('check' if passed else 'alert')}{escape(title)}</h3><ul>{told}</ul>{reason}"
        f'<div class="card-acts"><button type="button" class="plain" data-do="close-gate">'
        f'{escape(words("cancel"))}</button><button type="submit" class="solid">{escape(go)}'
        "</button></div></form>"
    )
