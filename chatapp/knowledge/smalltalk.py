"""Messages that ask for no knowledge: greetings, thanks, goodbyes, and who one is talking to."""

from __future__ import annotations

import re
from functools import cache

from chatapp.knowledge.normalising import normalised
from chatapp.knowledge.smalltalk_phrases import ENOUGH, FILLERS

_LONGEST = 120
"""Characters; nobody greets at greater length."""

_TOKEN = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\\s\u0e00-\u0e7f\u3040-\u9fff]+")
"""A word, or one character of a script that writes without spaces."""

_STRETCHED = re.compile(r"(.)\1{2,}")

_Phrases = dict[str, list[tuple[str, ...]]]


def is_small_talk(text: str) -> bool:
    """Whether the message is nothing but small talk, in any of the embedder's languages.

    Strict: every word has to belong to a known phrase, so "Hi, where is my parcel?" is none, and
    neither is an unknown way to greet: that one is searched for and refused, which does less harm
    than a question that is never looked up.
    """
    if len(text) > _LONGEST:
        return False
    plain = normalised(text)
    return _is_made_of_phrases(plain) or _is_made_of_phrases(_STRETCHED.sub(r"\1", plain))


def _is_made_of_phrases(plain: str) -> bool:
    """Whether phrases cover the text without a gap, at least one of them enough by itself."""
    tokens = _TOKEN.findall(plain)
    enough, fillers = _phrases()
    # How each position can be reached: False by fillers alone, True with a phrase that is enough.
    reached: list[set[bool]] = [set() for _ in range(len(tokens) + 1)]
    reached[0].add(False)
    for start, token in enumerate(tokens):
        if not reached[start]:
            continue
        for phrase in enough.get(token, ()):
            if tuple(tokens[start : start + len(phrase)]) == phrase:
                reached[start + len(phrase)].add(True)
        for phrase in fillers.get(token, ()):
            if tuple(tokens[start : start + len(phrase)]) == phrase:
                reached[start + len(phrase)] |= reached[start]
    return True in reached[-1]


@cache
def _phrases() -> tuple[_Phrases, _Phrases]:
    """Both lists as tokens, by their first one."""
    enough: _Phrases = {}
    fillers: _Phrases = {}
    for listed, by_first in ((ENOUGH, enough), (FILLERS, fillers)):
        for line in listed.values():
            for phrase in line.split("|"):
                tokens = tuple(_TOKEN.findall(normalised(phrase)))
                by_first.setdefault(tokens[0], []).append(tokens)
    return enough, fillers
