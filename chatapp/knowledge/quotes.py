"""The best sentences of the sources, whole and as they stand, so that they can be quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chatapp.knowledge.base import Embedder
from chatapp.knowledge.figures import figures
from chatapp.knowledge.grounding import Evidence, Piece, covered
from chatapp.knowledge.sentences import Span
from chatapp.knowledge_records import Hit

MOST: Final = 3
_READ: Final = 4
"""Passages whose sentences are compared; those further down are hardly ever the best."""

_BESIDE: Final = 0.75
_BESIDE_ROW: Final = 0.95
"""Share of the best one's likeness that a further quote needs; rows of a table are all alike."""

_LONGEST_LIST: Final = 8
_WIDE_ENDS: Final = ("。", "！", "？", "：", "”", "」")
_ASKS_FIGURE: Final = re.compile(
    r"\bhow (?:much|many|long|far|old|big|heavy|often|late|early|soon|fast)\b|\bwhen\b|\bprices?\b"
    r"|\bcosts?\b|\bwie (?:viele?|lange|teuer|oft)\b|\bwann\b|\bcombien\b|\bquand\b|\bcuánt\w+\b"
    r"|\bcuándo\b|\bquanto\b|多少|几|多久|多长|多大|多重|何时|什么时候|价格|哪年|哪天",
    re.IGNORECASE,
)
_LEANS_BACK: Final = re.compile(
    r"(?:it|its|they|their|them|this|these|those|that|he|she|however|but|also|so|then|therefore|"
    r"otherwise|in (?:this|that|such a?) case|dies\w*|sie|er|es|jedoch|aber|auch|il|elle|cela|"
    r"este|esto|ello)\b|它|他|她|其|此|这|該|该|但|然而|因此|所以|否则|另外|同时|也",
    re.IGNORECASE,
)
_SENTENCE_END: Final = re.compile(r"[.!?。！？…:：;；][\"'”’»)）」』】*]*\Z")


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of one passage.

    Attributes:
        passage: its place among the hits or passages that were given.
        text: on one line; a table's row as ``Column: value`` pairs.
        spans: (start, end) of what is quoted in the passage's text.
    """

    passage: int
    text: str
    spans: tuple[Span, ...]
    score: float


def best_quotes(
    question: str, hits: Sequence[Hit], embedder: Embedder, most: int = MOST
) -> list[Quote]:
    """One to ``most`` quotes from the hits that answer the question best, the best first.

    Empty only if there is nothing to quote. A sentence that leans on the one before it brings
    that one along; sentences that touch become one quote.
    """
    read = hits[:_READ]
    evidence = Evidence([hit.passage for hit in read], embedder)
    return choose_quotes(question, evidence, [hit.relevance for hit in read], most)


def choose_quotes(
    question: str, evidence: Evidence, relevances: Sequence[float], most: int = MOST
) -> list[Quote]:
    """The same from passages that were cut already; ``relevances`` has one for each of them."""
    if not evidence.pieces:
        return []
    scores = evidence.likeness(question)
    wants_figure = _ASKS_FIGURE.search(question) is not None
    for number, piece in enumerate(evidence.pieces):
        if piece.passage < len(relevances):
            scores[number] += 0.2 * relevances[piece.passage]
        if wants_figure and figures(piece.text):
            scores[number] += 0.05
        if _is_fragment(evidence, piece) or _introduces_nothing(evidence.pieces, number):
            scores[number] -= 0.3
    chosen: list[int] = []
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    for number in order:
        if len(chosen) == most or scores[number] < _BESIDE * scores[order[0]]:
            break
        is_row = evidence.pieces[number].unit.kind == "row"
        if is_row and scores[number] < _BESIDE_ROW * scores[order[0]]:
            continue
        if not any(_same(evidence.pieces[number], evidence.pieces[other]) for other in chosen):
            chosen.append(number)
    return _joined(evidence, chosen, {number: float(scores[number]) for number in chosen})


def quote_of(evidence: Evidence, passage: int, span: Span, score: float = 1.0) -> Quote | None:
    """The sentence at ``span`` of a passage as a quote; None when it is none of the pieces."""
    for number, piece in enumerate(evidence.pieces):
        if piece.passage == passage and (piece.unit.start, piece.unit.end) == span:
            return _joined(evidence, [number], {number: score})[0]
    return None


def _joined(evidence: Evidence, chosen: Sequence[int], scores: dict[int, float]) -> list[Quote]:
    """Quotes of the chosen pieces, in the order of the best piece in each."""
    wanted = set(chosen)
    for number in chosen:
        if number and _needs_before(evidence.pieces[number], evidence.pieces[number - 1]):
            wanted.add(number - 1)
        wanted.update(_list_after(evidence.pieces, number))
    runs: list[list[int]] = []
    for number in sorted(wanted):
        piece = evidence.pieces[number]
        before = evidence.pieces[runs[-1][-1]] if runs else None
        touches = bool(runs) and runs[-1][-1] == number - 1
        if before and touches and _stand_together(before, piece):
            runs[-1].append(number)
        else:
            runs.append([number])
    quotes = [
        Quote(
            passage=evidence.pieces[run[0]].passage,
            text=_joint(evidence.pieces[number] for number in run),
            spans=tuple(_span(evidence.pieces[number]) for number in run),
            score=max(scores.get(number, 0.0) for number in run),
        )
        for run in runs
    ]
    return sorted(quotes, key=lambda quote: -quote.score)


def _joint(pieces: Iterable[Piece]) -> str:
    """Sentences in a row; Chinese and Japanese put no space between them."""
    text = ""
    for piece in pieces:
        if not text:
            text = piece.text
        elif piece.unit.kind == "item" and not text.endswith((":", "：")):
            text += f" · {piece.text}"
        else:
            text += f"{'' if text.endswith(_WIDE_ENDS) else ' '}{piece.text}"
    return text


def _list_after(pieces: Sequence[Piece], number: int) -> Iterator[int]:
    """The items of a list that a sentence introduces."""
    if not pieces[number].text.endswith((":", "：")):
        return
    for following in range(number + 1, min(number + 1 + _LONGEST_LIST, len(pieces))):
        piece = pieces[following]
        if piece.passage != pieces[number].passage or piece.unit.kind != "item":
            return
        yield following


def _introduces_nothing(pieces: Sequence[Piece], number: int) -> bool:
    return pieces[number].text.endswith((":", "：")) and not list(_list_after(pieces, number))


def _needs_before(piece: Piece, before: Piece) -> bool:
    """Whether a sentence is hard to understand without the one before it."""
    if piece.passage != before.passage or piece.unit.kind == "row":
        return False
    if piece.unit.kind == "item":
        return before.text.endswith((":", "："))
    return piece.unit.block == before.unit.block and bool(_LEANS_BACK.match(piece.text))


def _stand_together(before: Piece, piece: Piece) -> bool:
    if before.passage != piece.passage or "row" in (before.unit.kind, piece.unit.kind):
        return False
    return before.unit.block == piece.unit.block or piece.unit.kind == "item"


def _same(one: Piece, other: Piece) -> bool:
    """Whether two sentences say the same in the same words, as overlapping passages do."""
    alike = min(covered(one.terms, other.terms), covered(other.terms, one.terms))
    return one.text == other.text or alike >= 0.8


def _is_fragment(evidence: Evidence, piece: Piece) -> bool:
    """Whether a sentence was probably cut at the edge of its passage."""
    passage = evidence.passages[piece.passage]
    if piece.unit.kind != "sentence":
        return False
    at_start = passage.position > 0 and not passage.text[: piece.unit.start].strip()
    at_end = not passage.text[piece.unit.end :].strip()
    return (at_start and piece.text[0].islower()) or (
        at_end and len(piece.text) > 60 and not _SENTENCE_END.search(piece.text)
    )


def _span(piece: Piece) -> Span:
    return piece.unit.start, piece.unit.end
