"""``ask``: one question, answered as the chat would answer it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from chatapp import bootstrap
from chatapp.commands.terminal import (
    AsJson,
    one_sentence_on_failure,
    prepared_engine,
    read_settings,
    write_json,
)
from chatapp.engine.base import Engine
from chatapp.engine.on_demand import OnDemandEngine
from chatapp.errors import ChatAppError
from chatapp.events import Done, Event, Explained, Failed, Routed, Sources, Token
from chatapp.knowledge_records import Route, Source, Trace

Answer = AbstractAsyncContextManager[AsyncGenerator[Event, None]]


def ask(
    question: str,
    persona: Annotated[str | None, typer.Option(help="A persona's id: a file in prompts/.")] = None,
    collection: Annotated[
        str | None, typer.Option(help="The knowledge to answer from; default: the persona's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer one question, streaming to the terminal."""
    with one_sentence_on_failure():
        settings = read_settings()
        engine = OnDemandEngine(prepared_engine(settings))
        answer = bootstrap.answering(settings, engine, question, persona, collection)
        asyncio.run(_write(answer, engine, as_json))


@dataclass(slots=True)
class _Heard:
    """What the events of an answer said so far."""

    text: str = ""
    route: Route = "persona"
    sources: tuple[Source, ...] = ()
    trace: Trace | None = None

    def take(self, event: Event) -> None:
        match event:
            case Token(text):
                self.text += text
            case Routed(route, _):
                self.route = route
            case Sources(sources):
                self.sources = sources
            case Explained(trace):
                self.trace = trace


async def _write(answer: Answer, engine: Engine, as_json: bool) -> None:
    heard = _Heard()
    async with answer as events:
        async for event in events:
            heard.take(event)
            match event:
                case Token(text) if not as_json:
                    typer.echo(text, nl=False)
                case Done() if as_json:
                    write_json(_result(heard, event, engine))
                case Done():
                    typer.echo(_footer(heard))
                case Failed(_, sentence):
                    raise ChatAppError(sentence)


def _result(heard: _Heard, done: Done, engine: Engine) -> dict[str, object]:
    """Seconds, as ``Timing`` has them; the steps of the search beside them are milliseconds."""
    timings: dict[str, object] = dict(asdict(done.timing))
    if heard.trace:
        timings["steps_ms"] = dict(heard.trace.timings)
    return {
        "route": heard.route,
        "answer": heard.text,
        "sources": [_shown(source) for source in heard.sources],
        "finish_reason": done.reason,
        "usage": asdict(done.usage),
        "timings": timings,
        "engine": asdict(engine.info),
    }


def _shown(source: Source) -> dict[str, object]:
    return {
        "document": source.document,
        "title": source.title,
        "page": source.page,
        "text": source.text,
        "relevance": source.relevance,
        "cited": source.cited,
    }


def _footer(heard: _Heard) -> str:
    """The end of the answer's line, and below it where the answer comes from."""
    cited = [source for source in heard.sources if source.cited]
    lines = [
        f"[{source.number}] {' › '.join((source.title or source.document, *source.heading))}"
        + (f", page {source.page}" if source.page else "")
        for source in cited
    ]
    return "\n".join(["", "", *lines]) if lines else ""
