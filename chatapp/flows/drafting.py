"""Draft FAQ entries, for somebody to check, change and approve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from chatapp.engine.base import Engine
from chatapp.events import Failed, Token
from chatapp.flows.answering import Answering
from chatapp.flows.grounded import Style, is_trusted
from chatapp.flows.routing import Searches
from chatapp.flows.sources import numbered_texts
from chatapp.knowledge.base import Embedder
from chatapp.knowledge.languages import language_of
from chatapp.knowledge.quotes import Quote, best_quotes
from chatapp.knowledge.sentences import CITATION
from chatapp.knowledge_records import Collection, Hit
from chatapp.phrases import phrases
from chatapp.prompting import grounded
from chatapp.records import Sampling

_READ: Final = 4
"""Passages a draft is made of."""
_NEAR: Final = 0.25
"""Share of the collection's threshold below which a passage has nothing to do with a question."""
_MOST_QUOTES: Final = 3
_MOST_WORDINGS: Final = 8
"""Ways to ask that go into a draft; the most frequent ones."""
_SAMPLING: Final = Sampling(max_tokens=300, temperature=0)


@dataclass(frozen=True, slots=True)
class Draft:
    """An FAQ entry for somebody to check, change and approve.

    Attributes:
        answer: empty where the documents hold nothing near.
        titles: of the documents it was taken from.
        by_model: whether the model wrote it; else it is sentences of the documents, as they are.
    """

    questions: tuple[str, ...]
    answer: str
    language: str
    titles: tuple[str, ...]
    by_model: bool


Write = Callable[[str, Sequence[Hit]], Awaitable[str]]
"""Answers a question from passages, in the question's language."""


class Drafting:
    """Turns questions into draft entries.

    Args:
        write: the model's part; None where the model is too small to be of help.
    """

    def __init__(
        self, search: Searches, embedder: Callable[[], Embedder], write: Write | None = None
    ) -> None:
        self._search = search
        self._embedder = embedder
        self._write = write

    async def draft(self, collection: Collection, questions: Sequence[str]) -> Draft:
        """An entry for these wordings of one question, from the passages that come closest.

        They were refused, so the passages are weak: somebody has to look at the answer.
        """
        question = questions[0]
        hits, quotes = await asyncio.to_thread(self._quoted, collection, question)
        answer = "\n".join(quote.text for quote in quotes)
        written = await self._write(question, hits) if self._write and hits else ""
        return Draft(
            questions=tuple(questions[:_MOST_WORDINGS]),
            answer=written.strip() or answer,
            language=language_of(question),
            titles=tuple(dict.fromkeys(hits[quote.passage].passage.title for quote in quotes)),
            by_model=bool(written.strip()),
        )

    def _quoted(self, collection: Collection, question: str) -> tuple[list[Hit], list[Quote]]:
        found = self._search.search(collection, question, k=_READ)
        least = found.threshold * _NEAR
        hits = [
            hit for hit in found.hits if hit.dropped in (None, "weak") and hit.relevance >= least
        ][:_READ]
        return hits, best_quotes(question, hits, self._embedder(), _MOST_QUOTES) if hits else []


class Composing:
    """The model's part in a draft: an answer written from passages, without citations.

    Args:
        style: as ``CHATAPP_ANSWER_STYLE`` says it; a model that may not write on sources in the
            chat does not write drafts either.
    """

    def __init__(self, answering: Answering, engine: Engine, style: Style = "auto") -> None:
        self._answering = answering
        self._engine = engine
        self._style: Style = style

    async def write(self, question: str, hits: Sequence[Hit]) -> str:
        """The answer; empty where the model is not trusted, fails or has no room for a passage."""
        if not is_trusted(self._style, self._engine.info):
            return ""
        context = self._engine.info.context_length
        prompt = await grounded(
            (),
            question,
            numbered_texts(hits),
            language=phrases(language_of(question)).name,
            budget=context - min(_SAMPLING.max_tokens, context // 4),
            count=self._engine.count_tokens,
        )
        if not prompt.used:
            return ""
        text = ""
        answer = self._answering.answer(prompt.messages, _SAMPLING, face="staff")
        async with aclosing(answer) as events:
            async for event in events:
                match event:
                    case Token():
                        text += event.text
                    case Failed():
                        return ""
        return CITATION.sub("", text).strip()
