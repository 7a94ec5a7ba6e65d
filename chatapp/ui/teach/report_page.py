"""A report as one HTML file that needs nothing else."""

from __future__ import annotations

from datetime import UTC
from html import escape
from pathlib import Path
from typing import Final

from chatapp.training_records import Report, Run
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.past_html import past_goal_html
from chatapp.ui.teach.report_html import helped, report_html, rows_used
from chatapp.ui.teach.texts import TeachWords
from chatapp.ui.texts import GRADIO_LOCALES, Language

_ASSETS: Final = Path(__file__).parent / "assets"


def report_page(run: Run, report: Report, language: Language) -> str:
    """The file's content, in the reader's language; its colours follow their system."""
    words = TeachWords(language)
    made = words(
        "report_made",
        name=run.name,
        data=run.dataset,
        day=f"{run.created_at.astimezone(UTC):%Y-%m-%d}",
    )
    styles = "".join(
        (_ASSETS / name).read_text("utf-8") for name in ("report_file.css", "report.css")
    )
    good = helped(report)
    return (
        f'<!doctype html><html lang="{GRADIO_LOCALES[language]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words('report_title', name=run.name))}</title><style>{styles}</style>"
        f'</head><body><main id="shell" class="staff teach"><h1>'
        f"{escape(words('report_title', name=run.name))}</h1><p>{escape(made)}</p>"
        f'<div class="result"><div class="headline" data-helped="{"yes" if good else "no"}">'
        f"{sign('check' if good else 'alert')}<p>{escape(words.verdict(report))}</p></div>"
        f"{rows_used(report.rows, words)}{report_html(report, words, live=False)}"
        f"<h2>{escape(words('its_settings_title'))}</h2>{past_goal_html(run, None, words)}"
        "</div></main></body></html>"
    )
