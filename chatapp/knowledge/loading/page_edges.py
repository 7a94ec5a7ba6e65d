"""Heads and feet that run through a document: they belong to no page and are left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from chatapp.knowledge.loading.draft import clean
from chatapp.knowledge.loading.page_lines import Line

_EDGE = 2
"""Lines at the top and the foot of a page that may be its running head or foot."""

_FEWEST_PAGES = 3
_NUMBER = re.compile(r"\d{1,5}")


def without_running_lines(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """The lines of each page but those that come back at the edges of most of them."""
    running = _running(pages)
    return [_without(lines, number, running) for number, lines in enumerate(pages)]


def _running(pages: Sequence[Sequence[Line]]) -> set[str]:
    """What comes back at the edges of at least half of the pages, as ``_edge_keys`` tells."""
    if len(pages) < _FEWEST_PAGES:
        return set()
    counts = Counter(
        key
        for number, lines in enumerate(pages)
        for line in {*lines[:_EDGE], *lines[-_EDGE:]}
        for key in _edge_keys(line, number)
    )
    least = max(_FEWEST_PAGES, len(pages) / 2)
    return {key for key, count in counts.items() if count >= least}


def _without(lines: list[Line], number: int, running: set[str]) -> list[Line]:
    """A page's lines but its running head and foot; all of them if it has no others."""
    edges = {*range(_EDGE), *range(len(lines) - _EDGE, len(lines))}
    kept = [
        line
        for at, line in enumerate(lines)
        if at not in edges or running.isdisjoint(_edge_keys(line, number))
    ]
    return kept or lines


def _edge_keys(line: Line, number: int) -> set[str]:
    """The line; and with its first or its last number counted from the page's own, so that page
    numbers are the same on every page."""
    key = letters_of(line.text)
    numbers = list(_NUMBER.finditer(key))
    return {key} | {
        f"{key[: found.start()]}#{int(found[0]) - number}#{key[found.end() :]}"
        for found in (*numbers[:1], *numbers[-1:])
    }


def letters_of(text: str) -> str:
    """Text without spaces and case, to tell whether two lines say the same."""
    return "".join(clean(text).casefold().split())
