"""Step 2: what a run will take, from a timed few steps."""

from __future__ import annotations

from html import escape
from typing import Final

from chatapp.training_records import Check, Estimate
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.amounts import lasting_about, memory
from chatapp.ui.teach.texts import TeachWords

_AGAIN: Final = 700
"""Milliseconds until the page asks again while the dry run goes on."""


def estimating_html(preset: str, seconds: float, words: TeachWords) -> str:
    """While the dry run goes on; ``seconds`` since it began."""
    told = words("estimating", preset=words(f"preset_{preset}"), n=round(seconds))
    return (
        f'<section class="estimate busy" data-again="{_AGAIN}" role="status"><p>'
        f"<strong>{escape(told)}</strong></p>"
        f'<p class="sub">{escape(words("estimating_help"))}</p>'
        '<span class="bar unknown"><span></span></span></section>'
    )


def failed_estimate_html(sentence: str, words: TeachWords) -> str:
    """When the dry run could not be made."""
    return (
        f'<section class="estimate" data-again="0"><p class="told wrong" role="alert">'
        f"{sign('alert')}<span>{escape(sentence)}</span></p>"
        f'<p class="sub">{escape(words("estimate_failed"))}</p></section>'
    )


def estimate_html(estimate: Estimate, preset: str, words: TeachWords) -> str:
    """Time, memory and disk; what was proved; what happens to the chat meanwhile."""
    took = f"{lasting_about(estimate.seconds, words)} · {memory(estimate.memory_mb)}"
    amounts = "".join(
        f"<div><dt>{escape(words(key))}</dt><dd>{escape(shown)}</dd></div>"
        for key, shown in (
            ("takes_time", lasting_about(estimate.seconds, words)),
            ("takes_memory", memory(estimate.memory_mb)),
            ("takes_disk", memory(estimate.disk_mb)),
            ("takes_steps", f"{estimate.steps:,}"),
        )
    )
    checks = "".join(_check(one, words) for one in estimate.checks)
    verdict = words("fits" if estimate.fits else "does_not_fit")
    title = words("estimate_of", preset=words(f"preset_{preset}"))
    return (
        f'<section class="estimate" data-again="0" data-fits="{"yes" if estimate.fits else "no"}" '
        f'data-preset="{escape(preset)}" data-took="{escape(took)}">'
        f"<h3>{escape(title)}</h3><dl>{amounts}</dl>"
        f'<p class="verdict">{sign("check" if estimate.fits else "alert")}'
        f"<span>{escape(verdict)}</span></p>"
        f'<ul class="proved">{checks}</ul>'
        f'<p class="meanwhile">{sign("like")}<span><strong>{escape(words("chat_meanwhile"))}'
        f"</strong> {escape(estimate.chat_meanwhile)}</span></p></section>"
    )


def _check(check: Check, words: TeachWords) -> str:
    passed = "yes" if check.passed else "no"
    said = escape(words("passed" if check.passed else "not_passed"))
    return (
        f'<li data-passed="{passed}">{sign("check" if check.passed else "close")}'
        f'<span class="sr-only">{said}: </span><span>{escape(check.sentence)}</span></li>'
    )
