"""Steps 1 and 2 of a run that was started: what it learned from, and how."""

from __future__ import annotations

from html import escape

from chatapp.training_records import Dataset, Run
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.texts import TeachWords


def past_source_html(run: Run, kept: Dataset | None, words: TeachWords) -> str:
    """The file by its name; to be opened while it is kept."""
    way = (
        f'<button type="button" class="plain" data-do="open-data" data-id="{escape(kept.id)}">'
        f"{escape(words('open_file'))}</button>"
        if kept
        else f'<span class="sub">{escape(words("file_not_kept"))}</span>'
    )
    return (
        f'<div class="source past" data-summary="{escape(run.dataset)}"><div class="file">'
        f"{sign('file')}<strong>{escape(run.dataset)}</strong>{way}</div></div>"
    )


def past_goal_html(run: Run, kept: Dataset | None, words: TeachWords) -> str:
    """The settings it runs with."""
    preset = str(run.config.get("preset", ""))
    summary = words(f"task_{run.task}")
    if preset:
        summary += f" · {words(f'preset_{preset}')}"
    rows = "".join(
        f"<dt><code>{escape(name)}</code></dt>"
        f"<dd>{escape('–' if value is None else str(value))}</dd>"
        for name, value in run.config.items()
    )
    again = (
        f'<button type="button" class="plain" data-do="again">{escape(words("again"))}</button>'
        if kept
        else ""
    )
    return (
        f'<div class="goal past" data-summary="{escape(summary)}"><dl class="settled">{rows}</dl>'
        f'<div class="advanced-acts">{again}<a class="plain" download '
        f'href="/teach/files/runs/{escape(run.id)}/config.yaml">{sign("save")}'
        f"{escape(words('download_settings'))}</a></div></div>"
    )
