"""One answer with knowledge, on whichever route was chosen for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from chatapp.engine.answer import Stopwatch
from chatapp.events import Done, Event, Explained, Routed, Sources, Token
from chatapp.flows.release import Release
from chatapp.flows.routing import Decision
from chatapp.flows.sources import (
    faq_source,
    near_hits,
    near_topics,
    numbered_texts,
    passage_sources,
    quoted,
    trace_of,
)
from chatapp.knowledge.base import Embedder
from chatapp.knowledge.grounding import Evidence
from chatapp.knowledge.quotes import Quote, best_quotes, choose_quotes
from chatapp.knowledge_records import Hit, Route, Source
from chatapp.phrases import phrases, reason
from chatapp.prompting import Count, GroundedPrompt, grounded
from chatapp.records import ChatMessage, EngineInfo, Usage

_MOST_SOURCES: Final = 6
_NOT_ASKED: Final = Usage(0, 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be answered.

    Attributes:
        messages: the whole conversation, as a model without knowledge would read it.
        question: the last question alone, as it was typed.
        collection: the name of the knowledge to answer from; None answers without any.
    """

    messages: Sequence[ChatMessage]
    question: str
    collection: str | None = None


class Writer(Protocol):
    """The model, ready to write one answer."""

    @property
    def info(self) -> EngineInfo:
        """What is answering."""
        ...

    @property
    def adapter(self) -> str | None:
        """The adapter that changes it."""
        ...

    @property
    def budget(self) -> int:
        """Most tokens a prompt should take."""
        ...

    @property
    def count(self) -> Count:
        """Tokens of the prompt that messages make."""
        ...

    @property
    def has_read(self) -> Sequence[ChatMessage]:
        """The prompt exactly as it was sent; empty before."""
        ...

    def write(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[Event, None]:
        """``Trimmed? Queued* Token* Done``."""
        ...


class RouteAnswer:
    """One answer in the making; call one of its routes, once."""

    def __init__(
        self,
        decision: Decision,
        asked: Asked,
        writer: Writer,
        embedder: Callable[[], Embedder],
        watch: Stopwatch,
    ) -> None:
        self.decision = decision
        self.route: Route = decision.route
        self.sources: tuple[Source, ...] = ()
        self._asked = asked
        self._writer = writer
        self._embedder = embedder
        self._words = phrases(decision.language)
        self._timings = dict(decision.timings)
        self._watch = watch

    async def from_faq(self) -> AsyncGenerator[Event, None]:
        """The approved answer, word for word."""
        match = self.decision.faq
        assert match is not None
        yield self._routed("faq")
        yield self._shown([faq_source(match)])
        yield self._said(match.entry.answer)
        yield self._explained()
        yield self._done()

    async def refused(self) -> AsyncGenerator[Event, None]:
        """An honest sentence, the closest topics, and a human's help."""
        yield self._routed("refused")
        yield self._shown(passage_sources(near_hits(self.decision)))
        text = self._words.refusal
        if topics := near_topics(self.decision):
            text += f"\n\n{self._words.closest}\n\n" + "\n".join(f"- {topic}" for topic in topics)
        yield self._said(f"{text}\n\n{self._words.person}")
        yield self._explained()
        yield self._done()

    async def quoted(self) -> AsyncGenerator[Event, None]:
        """The best sentences of the sources, without the model; a refusal, if they have none."""
        hits = self.decision.hits[:_MOST_SOURCES]
        with self._step("quote"):
            quotes = await asyncio.to_thread(self._best_quotes, hits)
        if not quotes:
            async for event in self.refused():
                yield event
            return
        yield self._routed("quote")
        # What is quoted is numbered in the order in which it is read.
        order = list(dict.fromkeys([*(quote.passage for quote in quotes), *range(len(hits))]))
        placed = [replace(quote, passage=order.index(quote.passage)) for quote in quotes]
        sources, texts = quoted(passage_sources([hits[place] for place in order]), placed)
        yield self._shown(sources)
        yield self._said(self._words.quoting)
        for text in texts:
            yield self._said(f"\n\n{text}")
        yield self._explained()
        yield self._done()

    async def from_persona(self) -> AsyncGenerator[Event, None]:
        """What the model says by itself."""
        yield self._routed("persona")
        yield self._explained(self._asked.messages)
        async with aclosing(self._writer.write(self._asked.messages)) as events:
            async for event in events:
                if isinstance(event, Done):
                    yield self._explained(self._writer.has_read)
                yield event

    async def composed(self) -> AsyncGenerator[Event, None]:
        """What the model writes on the sources, checked sentence by sentence.

        Quotes, if not one passage fits into its context; a refusal, if it finds no answer in
        them; quotes behind its text, if nothing of that is supported.
        """
        hits = self.decision.hits[:_MOST_SOURCES]
        prompt = await self._prompt(hits)
        if not prompt.used:
            async for event in self.quoted():
                yield event
            return
        yield self._routed("sources")
        hits = hits[: prompt.used]
        yield self._shown(passage_sources(hits))
        yield self._explained(prompt.messages)
        evidence = await asyncio.to_thread(self._evidence, hits)
        release = Release(evidence, self.sources)
        async with aclosing(self._released(prompt, release)) as events:
            async for event in events:
                if not isinstance(event, Done):
                    yield event
                    continue
                async for last in self._closed(release, evidence, hits):
                    yield last
                yield event

    async def _released(
        self, prompt: GroundedPrompt, release: Release
    ) -> AsyncGenerator[Event, None]:
        """The model's events, with judged sentences in the place of its tokens."""
        async with aclosing(self._writer.write(prompt.messages)) as events:
            async for event in events:
                sentences: list[str] = []
                match event:
                    case Token(text):
                        sentences = release.feed(text)
                    case Done():
                        sentences = release.rest()
                for sentence in sentences:
                    for judged in await self._judged(release, sentence):
                        yield judged
                if not isinstance(event, Token):
                    yield event

    async def _judged(self, release: Release, sentence: str) -> list[Event]:
        with self._step("check"):
            events = await asyncio.to_thread(release.judge, sentence)
        self.sources = release.sources
        return events

    async def _closed(
        self, release: Release, evidence: Evidence, hits: Sequence[Hit]
    ) -> AsyncGenerator[Event, None]:
        """What comes between the model's text and the end."""
        if release.gave_up and not release.has_shown:
            language = self.decision.language
            self.decision = replace(self.decision, reason=reason("model", language))
            async for event in self.refused():
                if not isinstance(event, Done | Explained):
                    yield event
        elif release.flagged and not release.cites:
            with self._step("quote"):
                quotes = await asyncio.to_thread(self._choose, evidence, hits)
            sources, texts = quoted(release.sources, quotes)
            yield self._said("\n\n" + "\n\n".join([self._words.quoting, *texts]))
            yield self._shown(sources)
        yield self._explained(self._writer.has_read)

    async def _prompt(self, hits: Sequence[Hit]) -> GroundedPrompt:
        with self._step("prompt"):
            return await grounded(
                self._asked.messages[:-1],
                self._asked.question,
                numbered_texts(hits),
                language=self._words.name,
                budget=self._writer.budget,
                count=self._writer.count,
            )

    def _evidence(self, hits: Sequence[Hit]) -> Evidence:
        return Evidence([hit.passage for hit in hits], self._embedder())

    def _best_quotes(self, hits: Sequence[Hit]) -> list[Quote]:
        return best_quotes(self.decision.query, hits, self._embedder())

    def _choose(self, evidence: Evidence, hits: Sequence[Hit]) -> list[Quote]:
        return choose_quotes(self.decision.query, evidence, [hit.relevance for hit in hits])

    def _routed(self, route: Route) -> Routed:
        self.route = route
        return Routed(route, self.decision.collection.name)

    def _shown(self, sources: Sequence[Source]) -> Sources:
        self.sources = tuple(sources)
        return Sources(self.sources)

    def _said(self, text: str) -> Token:
        self._watch.text()
        return Token(text)

    def _explained(self, prompt: Sequence[ChatMessage] = ()) -> Explained:
        asked = bool(prompt)
        return Explained(
            trace_of(
                self.decision,
                self.route,
                self._timings,
                prompt=prompt,
                model=self._writer.info.model if asked else "",
                adapter=self._writer.adapter if asked else None,
            )
        )

    def _done(self) -> Done:
        return Done("stop", _NOT_ASKED, self._watch.read())

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            took = 1000 * (time.perf_counter() - start)
            self._timings[name] = self._timings.get(name, 0.0) + took
