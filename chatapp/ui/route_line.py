"""The quiet line under an answer that says where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from chatapp.knowledge_records import Grounding, Route
from chatapp.ui.texts import Words

_NAMES: Final[Mapping[Route, str]] = {
    "faq": "route_faq",
    "sources": "route_sources",
    "quote": "route_quote",
    "refused": "route_refused",
    "persona": "route_persona",
}


def route_name(route: Route, words: Words) -> str:
    """The route as readers know it."""
    return words(_NAMES[route])


def route_line(grounding: Grounding | None, seconds: float | None, words: Words) -> str:
    """``▸ From sources · 2 · 0.9 s · why?``; nothing where there was no knowledge.

    Args:
        seconds: how long the answer took; None while it is being written.
    """
    if grounding is None or not says_something(grounding):
        return ""
    name = escape(route_name(grounding.route, words))
    if grounding.sources:
        name = (
            f'<button type="button" class="route-name" data-do="sources">'
            f'<span class="turner" aria-hidden="true">▸</span>{name}{_count(grounding)}</button>'
        )
    parts = [f'<span class="route-name">{name}</span>' if not grounding.sources else name]
    if seconds is not None:
        parts.append(f"<span>{escape(duration(seconds, words))}</span>")
    if grounding.trace is not None:
        label = escape(words("why_this_answer"))
        parts.append(
            f'<button type="button" data-do="why" aria-label="{label}" title="{label}">'
            f"{escape(words('why'))}</button>"
        )
    dot = '<span class="dot" aria-hidden="true"> · </span>'
    return f'<div class="route" data-route="{grounding.route}">{dot.join(parts)}</div>'


def says_something(grounding: Grounding) -> bool:
    """Whether there was any knowledge that the answer could have come from."""
    if grounding.route != "persona" or grounding.sources:
        return True
    return grounding.trace is not None and bool(grounding.trace.collection)


def duration(seconds: float, words: Words) -> str:
    """Seconds, or milliseconds where those would read 0.0."""
    if seconds < 0.1:
        return words("milliseconds", count=max(1, round(seconds * 1000)))
    return words("seconds", total=seconds)


def _count(grounding: Grounding) -> str:
    """How many sources the answer cites, or may cite while none is."""
    if grounding.route in ("faq", "refused"):
        return ""
    cited = sum(source.cited for source in grounding.sources)
    return f" · {cited or len(grounding.sources)}"
