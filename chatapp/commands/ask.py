"""``ask``: one question, answered as the chat would answer it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from typing import Annotated

import typer

from chatapp import bootstrap
from chatapp.commands.terminal import (
    AsJson,
    lazy_engine,
    one_sentence_on_failure,
    read_settings,
    write_json,
)
from chatapp.engine.base import Engine
from chatapp.errors import ChatAppError
from chatapp.events import Done, Event, Failed, Token
from chatapp.flows.adapters_live import LIVE
from chatapp.flows.grounds import ALONE, Grounds
from chatapp.knowledge_records import Grounding, Source

Answer = AbstractAsyncContextManager[AsyncGenerator[Event, None]]


def ask(
    question: str,
    persona: Annotated[str | None, typer.Option(help="A persona's id: a file in prompts/.")] = None,
    collection: Annotated[
        str | None, typer.Option(help="The knowledge to answer from; default: the persona's.")
    ] = None,
    adapter: Annotated[
        str, typer.Option(help="The adapter that answers: live, base, or its name.")
    ] = LIVE,
    as_json: AsJson = False,
) -> None:
    """Answer one question, streaming to the terminal."""
    with one_sentence_on_failure():
        settings = read_settings()
        engine = lazy_engine(settings, adapter)
        answer = bootstrap.answering(settings, engine, question, persona, collection)
        asyncio.run(_write(answer, engine, as_json))


async def _write(answer: Answer, engine: Engine, as_json: bool) -> None:
    text, grounds = "", Grounds()
    async with answer as events:
        async for event in events:
            grounds.seen(event)
            match event:
                case Token(piece):
                    text += piece
                    if not as_json:
                        typer.echo(piece, nl=False)
                case Done() if as_json:
                    write_json(_result(text, grounds.grounding or ALONE, event, engine))
                case Done():
                    typer.echo(_footer(grounds.grounding or ALONE))
                case Failed(_, sentence):
                    raise ChatAppError(sentence)


def _result(text: str, grounding: Grounding, done: Done, engine: Engine) -> dict[str, object]:
    """Seconds, as ``Timing`` has them; the steps of the search beside them are milliseconds."""
    timings: dict[str, object] = dict(asdict(done.timing))
    if grounding.trace:
        timings["steps_ms"] = dict(grounding.trace.timings)
    return {
        "route": grounding.route,
        "answer": text,
        "sources": [_shown(source) for source in grounding.sources],
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


def _footer(grounding: Grounding) -> str:
    """The end of the answer's line, and below it where the answer comes from."""
    cited = [source for source in grounding.sources if source.cited]
    lines = [
        f"[{source.number}] {' › '.join((source.title or source.document, *source.heading))}"
        + (f", page {source.page}" if source.page else "")
        for source in cited
    ]
    return "\n".join(["", "", *lines]) if lines else ""
