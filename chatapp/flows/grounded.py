"""Answers from the team's own knowledge: word for word, quoted, written on sources, or refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final, Literal, Protocol

import numpy as np

from chatapp.engine.answer import Stopwatch
from chatapp.errors import ChatAppError
from chatapp.events import Done, Event
from chatapp.flows.route_answers import Asked, RouteAnswer, Writer
from chatapp.flows.routing import Decision, Router
from chatapp.knowledge.base import Embedder
from chatapp.knowledge_records import Collection
from chatapp.records import EngineInfo

log = logging.getLogger(__name__)

Style = Literal["auto", "compose", "quote"]

_WEAK: Final = 1_000_000_000
"""A model with fewer weights is not trusted to write on sources: they are quoted instead."""


class NamesCollections(Protocol):
    """Finds collections; ``store.Collections`` is one."""

    def get(self, name: str) -> Collection:
        """The collection of that name; raises NotFound."""
        ...


class CountsUse(Protocol):
    """Remembers which documents were used; ``store.Documents`` is one."""

    def used(self, ids: Sequence[str]) -> None:
        """These were, now."""
        ...


class KeepsUnanswered(Protocol):
    """Keeps questions for the team; ``store.UnansweredQuestions`` is one."""

    def add(self, collection_id: str, question: str, vector: bytes | None) -> object:
        """One that was refused, and its vector in float32."""
        ...


def is_trusted(style: Style, info: EngineInfo) -> bool:
    """Whether this model may write answers on sources, or they are quoted instead.

    ``auto`` goes by size; where that is unknown, a remote model may, a local one may not.
    """
    if style != "auto":
        return style == "compose"
    if info.parameters is None:
        return info.engine == "remote"
    return info.parameters >= _WEAK


class Grounded:
    """Answers from collections.

    Args:
        style: how passages become an answer, as ``CHATAPP_ANSWER_STYLE`` says it.
        documents: told which documents answers cite; None tells nobody.
        unanswered: keeps the questions that were refused; None keeps none.
    """

    def __init__(
        self,
        router: Router,
        collections: NamesCollections,
        embedder: Callable[[], Embedder],
        *,
        style: Style = "auto",
        documents: CountsUse | None = None,
        unanswered: KeepsUnanswered | None = None,
    ) -> None:
        self._router = router
        self._collections = collections
        self._embedder = embedder
        self._style: Style = style
        self._documents = documents
        self._unanswered = unanswered

    async def answer(self, asked: Asked, writer: Writer) -> AsyncGenerator[Event, None]:
        """The events of one answer.

        Yields ``Routed Sources``, what the model yields where it is asked, the text with its
        ``Flagged`` and newer ``Sources``, ``Explained`` and ``Done``. Answers from the FAQ,
        quotes and refusals do not touch the model. Where it is asked, ``Explained`` comes once
        before that too, for an answer that is stopped.

        Raises:
            NotFound: no such collection.
            ChatAppError: whatever search, database and model raise.
        """
        watch = Stopwatch()
        watch.slot()
        decision = await asyncio.to_thread(self._decide, asked)
        answer = RouteAnswer(decision, asked, writer, self._embedder, watch)
        match decision.route:
            case "faq":
                events = answer.from_faq()
            case "persona":
                events = answer.from_persona()
            case "refused":
                events = answer.refused()
            case _ if is_trusted(self._style, writer.info):
                events = answer.composed()
            case _:
                events = answer.quoted()
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Done):
                    await self._remember(answer)
                yield event

    def _decide(self, asked: Asked) -> Decision:
        collection = self._collections.get(asked.collection or "")
        return self._router.decide(asked.question, asked.messages[:-1], collection)

    async def _remember(self, answer: RouteAnswer) -> None:
        """Tell the team's side what happened; an answer is not spoilt when that fails."""
        cited = [
            source.document_id
            for source in answer.sources
            if source.cited and source.passage_id is not None
        ]
        refused = answer.route == "refused" and self._unanswered
        if not refused and not (cited and self._documents):
            return
        try:
            await asyncio.to_thread(self._keep, answer, list(dict.fromkeys(cited)))
        except ChatAppError as error:
            log.warning("What an answer used could not be saved: %s", error)

    def _keep(self, answer: RouteAnswer, cited: Sequence[str]) -> None:
        if cited and self._documents:
            self._documents.used(cited)
        if answer.route == "refused" and self._unanswered:
            decision = answer.decision
            vector = self._embedder().embed_queries([decision.query])[0]
            packed = np.ascontiguousarray(vector, np.float32).tobytes()
            self._unanswered.add(decision.collection.id, decision.query, packed)
