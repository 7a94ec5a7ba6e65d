"""``evaluate``: how good the knowledge is, on questions whose answers are known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from chatapp import bootstrap
from chatapp.bootstrap_knowledge import PUBLIC
from chatapp.commands import evaluation_tables as tables
from chatapp.commands.evaluate_adapter import adapter
from chatapp.commands.terminal import (
    AsJson,
    InCollection,
    counting,
    lazy_engine,
    one_sentence_on_failure,
    open_knowledge,
    read_settings,
    write_json,
)
from chatapp.engine.base import Engine
from chatapp.events import Event
from chatapp.flows.answering import Answering
from chatapp.flows.evaluation import (
    AnswerScores,
    Calibration,
    Question,
    evaluate_answers,
    evaluate_retrieval,
    evaluate_routes,
    read_questions,
)
from chatapp.flows.evaluation import calibrate as find_thresholds
from chatapp.flows.grounded import Grounded
from chatapp.knowledge_records import Collection
from chatapp.metrics import Metrics
from chatapp.records import ChatMessage, Sampling
from chatapp.settings import Settings

evaluate = typer.Typer(no_args_is_help=True, help="Measure on questions with known answers.")
evaluate.command()(adapter)

Questions = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSONL, one question a line; see each command.")
]


@evaluate.command()
def retrieval(file: Questions, collection: InCollection = PUBLIC, as_json: AsJson = False) -> None:
    """Is the right document found? Lines: question, document (one or a list) and contains."""
    with one_sentence_on_failure():
        questions = read_questions(file)
        with open_knowledge() as knowledge, counting("Searching", len(questions)) as advance:
            target = knowledge.collections.get(collection)
            scores = evaluate_retrieval(knowledge.search, target, questions, advance)
    if as_json:
        write_json({"collection": collection} | tables.as_json(scores))
    else:
        tables.show_retrieval(scores)


@evaluate.command()
def routes(file: Questions, collection: InCollection = PUBLIC, as_json: AsJson = False) -> None:
    """Does each question take the right way? Lines: question, answer or document, in_scope."""
    with one_sentence_on_failure():
        questions = read_questions(file)
        with open_knowledge() as knowledge, counting("Deciding", len(questions)) as advance:
            target = knowledge.collections.get(collection)
            scores = evaluate_routes(knowledge.router, target, questions, advance)
    if as_json:
        write_json({"collection": collection} | tables.as_json(scores))
    else:
        tables.show_routes(scores)


@evaluate.command()
def answers(file: Questions, collection: InCollection = PUBLIC, as_json: AsJson = False) -> None:
    """Are whole answers right, supported, and refused when they should be? Lines as for routes."""
    with one_sentence_on_failure():
        questions = read_questions(file)
        settings = read_settings()
        engine = lazy_engine(settings)
        with (
            closing(bootstrap.knowledge(settings)) as knowledge,
            counting("Answering", len(questions)) as advance,
        ):
            target = knowledge.collections.get(collection)
            customer = _Customer(settings, engine, knowledge, target)
            scores = asyncio.run(customer.ask_all(questions, advance))
    if as_json:
        write_json({"collection": collection} | tables.as_json(scores))
    else:
        tables.show_answers(scores)


@evaluate.command()
def calibrate(
    file: Questions,
    collection: InCollection = PUBLIC,
    refuse: Annotated[
        float, typer.Option(min=0, max=1, help="Share of questions out of scope to refuse.")
    ] = 0.95,
    keep: Annotated[
        bool, typer.Option("--apply", help="Keep the best thresholds in the collection.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Where should refusing begin? Shows the trade-off. Lines as for routes, some out of scope."""
    with one_sentence_on_failure():
        questions = read_questions(file)
        with open_knowledge() as knowledge, counting("Measuring", len(questions)) as advance:
            target = knowledge.collections.get(collection)
            found = find_thresholds(
                knowledge.search,
                knowledge.matcher,
                target,
                questions,
                refuse=refuse,
                advance=advance,
            )
            if keep:
                tuned = _tuned(target, found)
                knowledge.collections.set_thresholds(
                    target.id, tuned.threshold, tuned.faq_threshold
                )
    if as_json:
        write_json({"collection": collection, "applied": keep} | asdict(found))
    else:
        tables.show_calibration(found, applied=keep)


class _Customer:
    """Asks one collection, without leaving a trace of it in the database."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        knowledge: bootstrap.Knowledge,
        collection: Collection,
    ) -> None:
        # Told of no documents and no list of refusals, as nobody really asked.
        grounded = Grounded(
            knowledge.router,
            knowledge.collections,
            knowledge.embedder,
            style=settings.answer_style,
        )
        self._engine = engine
        self._answering = Answering(engine, Metrics(), grounded)
        self._collection = collection.name
        personas = bootstrap.read_personas(settings).values()
        persona = next((one for one in personas if one.collection == collection.name), None)
        self._before = [ChatMessage("system", persona.system_prompt)] if persona else []
        # Greedy, so that the same questions give the same figures.
        self._sampling = replace(persona.sampling if persona else Sampling(), temperature=0.0)

    async def ask_all(
        self, questions: Sequence[Question], advance: Callable[[], None]
    ) -> AnswerScores:
        try:
            await self._engine.start()
            return await evaluate_answers(self._ask, questions, advance)
        finally:
            await self._engine.close()

    def _ask(self, question: str) -> AsyncGenerator[Event, None]:
        messages = [*self._before, ChatMessage("user", question)]
        return self._answering.answer(
            messages, self._sampling, face="cli", collection=self._collection
        )


def _tuned(collection: Collection, found: Calibration) -> Collection:
    """With the best thresholds for what the collection holds; others stay as they are."""
    if found.curve:
        collection = replace(collection, threshold=found.best.threshold)
    if found.faq_curve:
        collection = replace(collection, faq_threshold=found.best.faq_threshold)
    return collection
