"""Passages that say the same, as two versions of a handbook do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chatapp.knowledge.normalising import normalised
from chatapp.knowledge_records import Passage

_ALIKE = 0.85
"""Share of their runs of five characters that two texts have in common, from which on one is left
out."""

_PIECE = 5
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_VERSION = re.compile(
    r"\bv?\d+\b|\b(?:version|copy|kopie|copie|copia|final|draft|new|old)\b|副本|最终版|新版|旧版"
)
_TURNS = re.compile(
    r"\b(?:no|not|\w+nt|never|none|without|except|unless|only|nicht|kein\w*|nie|ohne|nur|non|pas"
    r"|jamais|sans|sin|nunca|jamás|senza|mai|não|sem|niet|geen|nie|не|нет|без|değil)\b|[不没無无未非勿别仅僅]"
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What of a passage is compared.

    Attributes:
        text: as it is compared.
        decisive: numbers and words that turn a meaning: two texts with different ones are never
            the same, as a price or a rule may have changed.
        subject: what stands above the text, but for the signs of a version.
    """

    text: str
    decisive: tuple[str, ...]
    subject: tuple[str, tuple[str, ...]]

    @classmethod
    def of(cls, passage: Passage) -> Likeness:
        """Of one passage."""
        text = normalised(passage.text)
        title = " ".join(_VERSION.sub(" ", normalised(passage.title)).split())
        return cls(
            text,
            tuple(sorted([*_NUMBER.findall(text), *_TURNS.findall(text)])),
            (title, tuple(normalised(part) for part in passage.heading)),
        )

    def same(self, other: Likeness) -> bool:
        """Whether a reader of one learns nothing from the other.

        The same text about another subject is not the same: the rules for returning a stained
        and a discoloured shirt may be alike.
        """
        if self.decisive != other.decisive or self.subject != other.subject:
            return False
        if min(len(self.text), len(other.text)) < _ALIKE * max(len(self.text), len(other.text)):
            return False
        own, theirs = _pieces(self.text), _pieces(other.text)
        return len(own & theirs) >= _ALIKE * len(own | theirs)


def _pieces(text: str) -> set[str]:
    return {text[at : at + _PIECE] for at in range(max(1, len(text) - _PIECE + 1))}
