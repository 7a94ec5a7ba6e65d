"""A model's answer, let through sentence by sentence: checked before it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from chatapp.events import Event, Flagged, Sources, Token
from chatapp.knowledge.grounding import Evidence, Support
from chatapp.knowledge.quotes import quote_of
from chatapp.knowledge.sentences import CITATION, Span, complete
from chatapp.knowledge_records import Flag, Source
from chatapp.prompting import NO_ANSWER

_NUMBER: Final = re.compile(r"\d+")
_MARKS: Final = " \n\t.!。*_`\"'"


class Release:
    """The sentences of one answer, and the sources they turn out to lean on.

    A sentence that the sources support gets the citation of the passage that supports it,
    whatever number the model wrote. One with a figure that stands in no source is replaced by
    the nearest sentence of the sources, or left out where that was said already. Anything else
    without support is shown and flagged.

    Args:
        evidence: the passages, in the order of ``sources``.
        sources: numbered from 1.
    """

    def __init__(self, evidence: Evidence, sources: Sequence[Source]) -> None:
        self._evidence = evidence
        self._sources = list(sources)
        self._held = ""
        self._shown = 0
        self._quoted: set[tuple[int, Span]] = set()
        self.gave_up = False
        """Whether the model said that the passages do not answer the question."""
        self.flagged = False
        """Whether anything was flagged."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """With what is cited so far."""
        return tuple(self._sources)

    @property
    def has_shown(self) -> bool:
        """Whether any text was shown so far."""
        return self._shown > 0

    @property
    def cites(self) -> bool:
        """Whether anything is cited so far."""
        return any(source.cited for source in self._sources)

    def feed(self, text: str) -> list[str]:
        """The sentences that the next piece of text completes, with the space before them."""
        self._held += text
        return self._cut(complete(self._held))

    def rest(self) -> list[str]:
        """The last sentences, once it is clear that no more text comes."""
        held = self._held.rstrip()
        return self._cut([*complete(held), len(held)]) if held else []

    def _cut(self, ends: Sequence[int]) -> list[str]:
        sentences, start = [], 0
        for end in ends:
            if end > start:
                sentences.append(self._held[start:end])
                start = end
        self._held = self._held[start:]
        return sentences

    def judge(self, sentence: str) -> list[Event]:
        """What a reader gets instead of the next sentence. Blocking: it compares meanings.

        ``Token`` pieces, ``Flagged`` after what it is about, ``Sources`` when more is cited.
        Nothing any more once the model gave up.
        """
        before = self.sources
        events = list(self._judged(sentence))
        return events if self.sources == before else [*events, Sources(self.sources)]

    def _judged(self, sentence: str) -> Iterator[Event]:
        bare = CITATION.sub("", sentence).rstrip()
        said = bare.strip()
        if self.gave_up or said.strip(_MARKS) == NO_ANSWER:
            self.gave_up = True
            return
        space = bare[: len(bare) - len(bare.lstrip())]
        if not any(sign.isalnum() for sign in said):
            yield self._show(sentence)
            return
        support = self._evidence.check(said)
        if not support.figure_ok:
            yield from self._replaced(space, said, support)
        elif support.supported:
            marks = "".join(f" [{place + 1}]" for place in self._leans_on(sentence, said, support))
            yield self._show(f"{bare}{marks}")
        else:
            yield from self._flag(space, said, support)

    def _leans_on(self, sentence: str, said: str, support: Support) -> list[int]:
        """The places of the passages to cite: those the model named, if they hold."""
        if support.passage is None or support.span is None:
            return []
        named = {int(number) - 1 for number in _NUMBER.findall("".join(CITATION.findall(sentence)))}
        holds = [
            place
            for place in sorted(named)
            if 0 <= place < len(self._sources) and self._evidence.supports(said, place)
        ]
        self._cite(support.passage, (support.span,), cited=not holds or support.passage in holds)
        for place in holds:
            self._cite(place, ())
        return holds or [support.passage]

    def _replaced(self, space: str, said: str, support: Support) -> Iterator[Event]:
        """The nearest sentence of the sources in the place of one with a wrong figure."""
        quote = (
            quote_of(self._evidence, support.passage, support.span)
            if support.passage is not None and support.span is not None
            else None
        )
        if quote is None:
            yield from self._flag(space, said, support)
            return
        known = {(quote.passage, span) for span in quote.spans}
        if known <= self._quoted:
            return
        self._quoted |= known
        self._cite(quote.passage, quote.spans)
        yield self._show(f"{space}“{quote.text}” [{quote.passage + 1}]")

    def _flag(self, space: str, said: str, support: Support) -> Iterator[Event]:
        self.flagged = True
        yield self._show(f"{space}{said}")
        start, end = self._shown - len(said), self._shown
        if support.figure_ok:
            yield Flagged(Flag(start=start, end=end, reason="unsupported"))
        else:
            yield Flagged(Flag(start=start, end=end, reason="figure"))

    def _show(self, text: str) -> Token:
        # An answer does not begin with the space that a model puts in front.
        text = text if self._shown else text.lstrip()
        self._shown += len(text)
        return Token(text)

    def _cite(self, place: int, spans: Sequence[Span], *, cited: bool = True) -> None:
        self._sources[place] = with_spans(self._sources[place], spans, cited=cited)


def with_spans(source: Source, spans: Sequence[Span], *, cited: bool = True) -> Source:
    """The source with more of its text marked as support."""
    merged = tuple(sorted({*source.spans, *spans}))
    return replace(source, cited=source.cited or cited, spans=merged)
