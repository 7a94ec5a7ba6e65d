"""A conversation's name, made from its first question."""

from __future__ import annotations

_LONGEST = 48


def title_from(question: str) -> str:
    """The first 48 characters of a question, in whole words where it has words."""
    line = " ".join(question.split())
    if len(line) <= _LONGEST:
        return line
    cut = line[:_LONGEST]
    # Chinese has no spaces, and a cut far to the left would say too little.
    space = cut.rfind(" ", _LONGEST // 2)
    return (cut[:space] if space > 0 else cut).rstrip(" ,.;:，。；：、") + "…"
