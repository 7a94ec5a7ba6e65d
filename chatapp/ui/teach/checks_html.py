"""Step 1, second half: what the doctor says, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from chatapp.training_records import Bar, Dataset, Diagnosis, Finding, Fix, Place
from chatapp.ui.staff.figures import counted
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.texts import TeachWords

_PLACES: Final = 100
_LABELS: Final = 12
"""Labels that are drawn before the rest is folded away."""
_LANGUAGES: Final = 4
_SEVERITY: Final = {"error": "alert", "warning": "alert", "note": "text"}


def checking_html(dataset: Dataset, words: TeachWords) -> str:
    """While the rows are being checked."""
    told = escape(counted(words, "checking", dataset.rows))
    return (
        f'<div class="checks busy" role="status" data-dataset="{escape(dataset.id)}" '
        f'data-pending="yes"><p>{told}</p><span class="bar unknown"><span></span></span></div>'
    )


def checks_html(
    dataset: Dataset, diagnosis: Diagnosis, applied: Sequence[tuple[str, str]], words: TeachWords
) -> str:
    """The findings, the figures and the way on.

    Args:
        applied: the fixes that were made: each one's id, and what it did.
    """
    ready = counted(words, "rows_ready", diagnosis.ready)
    aside = counted(words, "rows_aside", diagnosis.set_aside) if diagnosis.set_aside else ""
    summary = words("ready_and_aside", ready=ready, aside=aside) if aside else ready
    off = "" if diagnosis.ready else " disabled"
    return (
        f'<div class="checks" data-dataset="{escape(dataset.id)}" data-task="{diagnosis.task}" '
        f'data-ready="{diagnosis.ready}" '
        f'data-summary="{escape(f"{dataset.name} · {summary}")}">'
        f'<div class="verdict"><h3>{escape(summary)}</h3>'
        f'<a class="plain" href="/teach/files/datasets/{escape(dataset.id)}/cleaned" download>'
        f"{sign('save')}{escape(words('download_cleaned'))}</a></div>"
        f"{_findings(applied, diagnosis, words)}"
        f'<div class="figures-row">{_lengths(diagnosis.lengths, words)}'
        f"{_balance(diagnosis.labels, words)}</div>"
        f"{_languages(diagnosis.languages, words)}{_advice(diagnosis.advice)}"
        f'<div class="onward"><button type="button" class="solid" data-do="to-goal"{off}>'
        f"{escape(counted(words, 'go_on_with', diagnosis.ready))}</button></div></div>"
    )


def failed_html(dataset: Dataset, sentence: str, words: TeachWords) -> str:
    """When the rows cannot be checked as they are mapped now."""
    return (
        f'<div class="checks" data-dataset="{escape(dataset.id)}" data-ready="0" '
        f'data-summary="{escape(dataset.name)}"><p class="told wrong" role="alert">'
        f"{sign('alert')}<span>{escape(sentence)}</span></p>"
        f'<p class="sub">{escape(words("map_again"))}</p></div>'
    )


# ---- findings ----------------------------------------------------------------------------------
def _findings(applied: Sequence[tuple[str, str]], diagnosis: Diagnosis, words: TeachWords) -> str:
    done = "".join(
        f'<li class="applied">{sign("check")}<span>{escape(told)}</span>'
        f'<button type="button" class="plain" data-do="unfix" data-fix="{escape(fix_id)}">'
        f"{escape(words('restore'))}</button></li>"
        for fix_id, told in applied
    )
    found = "".join(_finding(one, words) for one in diagnosis.findings)
    if not found and not done:
        return f'<p class="fine">{sign("check")}{escape(words("no_findings"))}</p>'
    mended = f'<ul class="mended">{done}</ul>' if done else ""
    return f'{mended}<ul class="findings">{found}</ul>'


def _finding(finding: Finding, words: TeachWords) -> str:
    fixes = "".join(_fix(one, words) for one in finding.fixes)
    severity = escape(words(f"severity_{finding.severity}"))
    return (
        f'<li class="finding" data-severity="{finding.severity}" '
        f'data-kind="{escape(finding.kind)}">'
        f'<span class="mark">{sign(_SEVERITY[finding.severity])}<span class="sr-only">{severity}'
        f"</span></span><div><p>{escape(words.finding(finding))}</p>"
        f"{_places(finding, words)}</div>"
        f'<div class="fixes">{fixes}</div></li>'
    )


def _fix(fix: Fix, words: TeachWords) -> str:
    return (
        f'<button type="button" class="plain" data-do="fix" data-fix="{escape(fix.id)}" '
        f'data-label-text="{escape(words.fix_label(fix))}">{escape(words.fix_label(fix))}</button>'
    )


def _places(finding: Finding, words: TeachWords) -> str:
    if not finding.places:
        return ""
    rows = "".join(_place(one, words) for one in finding.places[:_PLACES])
    more = finding.count - len(finding.places[:_PLACES])
    rest = f'<p class="sub">{escape(words("and_more", n=more))}</p>' if more > 0 else ""
    heads = "".join(
        f'<th scope="col">{escape(words(key))}</th>' for key in ("row", "column", "value")
    )
    files = sorted({place.file for place in finding.places if place.file})
    where = f'<p class="sub">{escape(", ".join(files))}</p>' if len(files) > 1 else ""
    return (
        f'<details class="places" data-keep="places-{escape(finding.kind)}"><summary>'
        f"{escape(counted(words, 'show_rows', finding.count))}</summary>{where}"
        f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest}</details>"
    )


def _place(place: Place, words: TeachWords) -> str:
    value = escape(place.value) if place.value.strip() else f"<i>{escape(words('empty_value'))}</i>"
    return (
        f'<tr title="{escape(place.file)}"><td>{place.row:,}</td><td>{escape(place.column)}</td>'
        f"<td>{value}</td></tr>"
    )


# ---- figures -----------------------------------------------------------------------------------
def _lengths(bars: Sequence[Bar], words: TeachWords) -> str:
    if not bars:
        return ""
    most = max(bar.count for bar in bars) or 1
    columns = "".join(
        f'<span class="column" style="--share:{bar.count / most:.3f}" '
        f'title="{escape(words("bar", low=bar.low, high=bar.high - 1, n=bar.count))}"></span>'
        for bar in bars
    )
    rows = "".join(
        f"<tr><td>{bar.low:,}–{bar.high - 1:,}</td><td>{bar.count:,}</td></tr>" for bar in bars
    )
    return (
        f'<section class="lengths"><h3>{escape(words("lengths"))}</h3>'
        f'<div class="histogram" aria-hidden="true">{columns}</div>'
        f'<div class="axis" aria-hidden="true"><span>{bars[0].low:,}</span>'
        f"<span>{escape(words('tokens'))}</span><span>{bars[-1].high - 1:,}</span></div>"
        f"{_table('lengths', ('tokens', 'rows_column'), rows, words)}</section>"
    )


def _balance(labels: Mapping[str, int], words: TeachWords) -> str:
    if not labels:
        return ""
    most = max(labels.values()) or 1
    rows = [
        f'<li style="--share:{count / most:.3f}"><span class="label">{escape(label)}</span>'
        f'<span class="track"><span></span></span><span class="count">{count:,}</span></li>'
        for label, count in labels.items()
    ]
    rest = rows[_LABELS:]
    folded = (
        f'<details data-keep="labels"><summary>{escape(words("more_labels", n=len(rest)))}'
        f'</summary><ul class="balance">{"".join(rest)}</ul></details>'
        if rest
        else ""
    )
    return (
        f"<section><h3>{escape(counted(words, 'labels_count', len(labels)))}</h3>"
        f'<ul class="balance">{"".join(rows[:_LABELS])}</ul>{folded}</section>'
    )


def _languages(languages: Mapping[str, float], words: TeachWords) -> str:
    shown = [
        f"{words.language_name(code)} {share:.0%}"
        for code, share in list(languages.items())[:_LANGUAGES]
        if share >= 0.005
    ]
    told = words("languages_are", languages=", ".join(shown))
    return f'<p class="facts">{escape(told)}</p>' if shown else ""


def _advice(sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    return f'<ul class="advice">{"".join(f"<li>{escape(one)}</li>" for one in sentences)}</ul>'


def _table(key: str, heads: Sequence[str], rows: str, words: TeachWords) -> str:
    shown = "".join(f'<th scope="col">{escape(words(one))}</th>' for one in heads)
    return (
        f'<details class="numbers" data-keep="numbers-{key}"><summary>'
        f'{escape(words("as_table"))}</summary><div class="scroll" tabindex="0"><table><thead><tr>'
        f"{shown}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )
