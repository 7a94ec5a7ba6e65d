"""Builds all of it: the one place where the parts are made and joined."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, closing, suppress
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from chatapp.api.app import create_api
from chatapp.api.staff import StaffGate
from chatapp.bootstrap_knowledge import PUBLIC, Knowledge, assemble
from chatapp.bootstrap_server import Server, address_of, listen
from chatapp.bootstrap_training import Training, assemble_training
from chatapp.engine.base import Engine
from chatapp.errors import ChatAppError, NotFound, StorageError
from chatapp.events import Event
from chatapp.flows.answering import Answering
from chatapp.flows.chat import Chat
from chatapp.flows.comparing import Comparing
from chatapp.metrics import Metrics
from chatapp.personas import answered_from, load_personas
from chatapp.records import ChatMessage, Persona, Sampling
from chatapp.settings import Settings
from chatapp.store import (
    Collections,
    Conversations,
    Corrections,
    Database,
    Documents,
    Faqs,
    Messages,
    Votes,
)

log = logging.getLogger(__name__)

UNDO_DAYS = timedelta(days=30)
"""How long a deleted conversation can be brought back."""


__all__ = [
    "Knowledge",
    "Training",
    "answering",
    "build",
    "knowledge",
    "listen",
    "open_database",
    "opened",
    "serve",
    "taught",
]


def build(
    settings: Settings,
    engine: Engine,
    database: Database,
    known: Knowledge,
    training: Training,
) -> FastAPI:
    """Join the rooms around what the caller starts and closes."""
    # Gradio reports its use to its makers unless this is set before it is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    from chatapp import ui
    from chatapp.bootstrap_review import add_review_page
    from chatapp.bootstrap_staff import add_staff_pages
    from chatapp.bootstrap_teach import add_teach_page

    conversations = Conversations(database)
    messages = Messages(database, server_id(settings))
    personas = read_personas(settings)
    for name in answered_from(personas):
        known.collections.ensure(name)
    metrics = training.metrics
    metrics.watch(engine.load)
    grounded = known.grounded(settings)
    chat = Chat(
        engine,
        conversations,
        messages,
        metrics,
        knowledge=grounded,
        collection_of=lambda persona_id: _collection_of(personas, persona_id),
        adapters=training.adapters,
        on_question=training.classifying.notice,
    )
    answering = Answering(engine, metrics, grounded)
    comparing = Comparing(answering, training.adapters, Votes(database))
    gate = StaffGate(settings.host, _password(settings), _secret(settings))
    asgi = create_api(
        answering,
        engine,
        metrics,
        personas,
        settings.api_keys,
        gate.is_staff,
        training.adapters,
        training.classifying,
    )
    identity = ui.Identity(_secret(settings))
    add_teach_page(asgi, training, gate, settings)
    add_review_page(asgi, database, known, training, comparing, has_password=gate.has_password)
    add_staff_pages(asgi, known, gate, answering, engine, personas, settings)
    page = ui.build_blocks(
        chat,
        conversations,
        messages,
        engine,
        personas,
        identity.owner_of,
        lambda request: request.request is not None and gate.is_staff(request.request),
        ui.Learning(
            feedback=training.feedback,
            labels=training.labels,
            adapters=lambda: training.adapters.list("chat"),
            comparing=comparing,
        ),
    )
    gr.mount_gradio_app(asgi, page, path="/", **ui.mount_kwargs())
    asgi.add_middleware(ui.IdentityMiddleware, identity=identity)
    asgi.add_middleware(ui.PageHeadMiddleware)
    return asgi


def knowledge(settings: Settings) -> Knowledge:
    """The knowledge with a database of its own, for a command that needs no page.

    Raises:
        StorageError: the data folder or the database cannot be used.
    """
    database = Database(_database_url(settings))
    database.migrate()
    Collections(database).ensure(PUBLIC)
    # Its unfinished files are told from the server's, which may be running meanwhile.
    return assemble(settings, database, f"{server_id(settings)}-cli", closes_database=True)


def taught(settings: Settings) -> Training:
    """What was learned, with a database of its own, for a command that answers nothing.

    Raises:
        StorageError: the data folder or the database cannot be used.
    """
    database = Database(_database_url(settings))
    database.migrate()
    return assemble_training(
        settings, database, None, lambda: [*load_personas(settings.prompts)[0]]
    )


def open_database(settings: Settings) -> Database:
    """The database at its newest schema; answers cut off by a crash are marked as stopped.

    Raises:
        StorageError: the data folder or the database cannot be used.
    """
    database = Database(_database_url(settings))
    database.migrate()
    Messages(database, server_id(settings)).interrupt_unfinished()
    for kind in (
        Conversations(database),
        Documents(database),
        Faqs(database),
        Corrections(database),
    ):
        kind.purge(UNDO_DAYS)
    collections = Collections(database)
    collections.purge(UNDO_DAYS)
    collections.ensure(PUBLIC)
    return database


def _database_url(settings: Settings) -> str:
    data = make_folder(settings.data)
    return settings.database_url or f"sqlite:///{data / 'chatapp.db'}"


def server_id(settings: Settings) -> str:
    """Tells this server's unfinished answers from those of others on the same database."""
    return kept_secret(settings.data / "server-id")


def read_personas(settings: Settings) -> Mapping[str, Persona]:
    """The personas; a file that cannot be used is named in the log and left out."""
    personas, broken = load_personas(settings.prompts)
    for problem in broken:
        log.warning("%s", problem.sentence)
    return personas


async def serve(
    settings: Settings,
    engine: Engine,
    listener: socket.socket,
    announce: Callable[[str], None],
) -> None:
    """Open the page and the API, and serve until told to stop.

    The model loads in its own process while the page is being built here.

    Args:
        engine: not yet started; closed at the end.
        announce: called with the address once a question would be answered.

    Raises:
        ChatAppError: the model or the data cannot be used.
    """
    database = open_database(settings)
    known = assemble(settings, database, server_id(settings))
    training = assemble_training(settings, database, engine, lambda: _taken_names(settings, engine))
    starting = asyncio.create_task(engine.start())
    ingesting = asyncio.create_task(known.ingest.run())
    warming = asyncio.create_task(_warm(known))
    try:
        asgi = await asyncio.to_thread(build, settings, engine, database, known, training)
        await starting
        await training.start()
        await warming
        log.info("%s · %.2f GiB", engine.info, engine.memory_bytes() / 2**30)
        await Server(asgi, lambda: announce(address_of(listener))).serve(sockets=[listener])
    finally:
        for task in (starting, ingesting, warming):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await ingesting
        await training.close()
        await engine.close()
        known.close()
        database.close()


async def _warm(known: Knowledge) -> None:
    """The index is opened before the first question; what fails now is said to whoever asks."""
    try:
        await asyncio.to_thread(known.warm)
    except ChatAppError as error:
        log.warning("%s", error.sentence)


@asynccontextmanager
async def answering(
    settings: Settings,
    engine: Engine,
    question: str,
    persona_id: str | None = None,
    collection: str | None = None,
) -> AsyncIterator[AsyncGenerator[Event, None]]:
    """The events of one answer without a page; nothing of it is stored.

    Args:
        persona_id: who answers; None is the first persona.
        collection: the knowledge to answer from; None is the persona's.

    Raises:
        NotFound: no persona or no collection of that name.
        ModelError: the engine cannot start.
        StorageError: the data folder or the database cannot be used.
    """
    personas = read_personas(settings)
    if persona_id is not None and persona_id not in personas:
        names = ", ".join(personas) or "none"
        raise NotFound(f"There is no persona {persona_id!r} in {settings.prompts}. Known: {names}.")
    persona = personas[persona_id] if persona_id else next(iter(personas.values()), None)
    sampling = persona.sampling if persona else Sampling()
    messages = [ChatMessage("system", persona.system_prompt)] if persona else []
    messages.append(ChatMessage("user", question))
    async with opened(settings, engine) as known:
        if collection is not None:
            known.collections.get(collection)
        elif persona is not None and persona.collection is not None:
            collection = known.collections.ensure(persona.collection).name
        answers = Answering(engine, Metrics(), known.grounded(settings))
        answer = answers.answer(messages, sampling, face="cli", collection=collection)
        async with aclosing(answer) as events:
            yield events


@asynccontextmanager
async def opened(settings: Settings, engine: Engine) -> AsyncIterator[Knowledge]:
    """Knowledge and a running engine, for a program of one's own; both are closed at the end.

    Raises:
        ModelError: the engine cannot start.
        StorageError: the data folder or the database cannot be used.
    """
    with closing(knowledge(settings)) as known:
        try:
            await engine.start()
            yield known
        finally:
            await engine.close()


def _collection_of(personas: Mapping[str, Persona], persona_id: str) -> str | None:
    persona = personas.get(persona_id)
    return persona.collection if persona else None


def make_folder(path: Path) -> Path:
    """The data folder, made if it is missing.

    Raises:
        StorageError: it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise StorageError(
            f"The data folder {path} cannot be written to: {error.strerror}. Set CHATAPP_DATA to "
            "a folder that this user may write to."
        ) from error
    return path


def kept_secret(path: Path) -> str:
    """A random text that is made once and stays in the file ``path``, readable by its owner alone.

    Processes that start at once agree on one: the file appears whole, or not at all.
    """
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_text()


def _taken_names(settings: Settings, engine: Engine) -> Sequence[str]:
    """What the API's ``model`` names already, so that no adapter may be called so."""
    return [engine.info.model, *load_personas(settings.prompts)[0]]


def _password(settings: Settings) -> str | None:
    return settings.staff_password.get_secret_value() if settings.staff_password else None


def _secret(settings: Settings) -> str:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return kept_secret(settings.data / "secret.key")
