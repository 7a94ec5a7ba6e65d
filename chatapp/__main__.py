"""The command line: ``python -m chatapp serve | ask | models prepare``."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from chatapp import bootstrap
from chatapp.engine.base import Engine
from chatapp.engine.choice import make_engine
from chatapp.engine.models.conversion import Progress as Report
from chatapp.errors import ChatAppError
from chatapp.events import Done, Event, Failed, Token
from chatapp.settings import Settings, load_settings

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
models = typer.Typer(no_args_is_help=True, help="The model's weights.")
cli.add_typer(models, name="models")

Answer = AbstractAsyncContextManager[AsyncGenerator[Event, None]]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON object, for a program.")]
stderr = Console(stderr=True)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Open the chat page and the HTTP API."""
    with _one_sentence_on_failure():
        settings = _settings(host=host, port=port)
        listener = bootstrap.listen(settings.host, settings.port)
        engine = _engine(settings)
        asyncio.run(bootstrap.serve(settings, engine, listener, _announce))


def _announce(address: str) -> None:
    typer.echo(f"Open {address} in a browser. Ctrl+C stops.")


@cli.command()
def ask(
    question: str,
    persona: Annotated[str | None, typer.Option(help="A persona's id: a file in prompts/.")] = None,
    as_json: AsJson = False,
) -> None:
    """Answer one question, streaming to the terminal."""
    with _one_sentence_on_failure():
        settings = _settings()
        engine = _engine(settings)
        answer = bootstrap.answering(settings, engine, question, persona)
        asyncio.run(_write(answer, engine, as_json))


async def _write(answer: Answer, engine: Engine, as_json: bool) -> None:
    written: list[str] = []
    async with answer as events:
        async for event in events:
            match event:
                case Token(text):
                    written.append(text)
                    if not as_json:
                        typer.echo(text, nl=False)
                case Done(reason, usage, timing):
                    result = {
                        "answer": "".join(written),
                        "finish_reason": reason,
                        "usage": asdict(usage),
                        "timings": asdict(timing),
                        "engine": asdict(engine.info),
                    }
                    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else "")
                case Failed(_, sentence):
                    raise ChatAppError(sentence)


@models.command()
def prepare(as_json: AsJson = False) -> None:
    """Fetch and convert the weights that the chosen engine needs, then stop."""
    with _one_sentence_on_failure():
        info = _engine(_settings()).info
    if as_json:
        typer.echo(json.dumps(asdict(info)))
    else:
        typer.echo(f"{info.model} is ready for the {info.engine} engine ({info.quantization}).")


def _settings(**options: object) -> Settings:
    given = {name: value for name, value in options.items() if value is not None}
    settings = load_settings(**given)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return settings


@contextmanager
def _one_sentence_on_failure() -> Iterator[None]:
    try:
        yield
    except ChatAppError as error:
        stderr.print(error.sentence, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _engine(settings: Settings) -> Engine:
    """The engine with its weights ready; a bar for each step that takes, a line in a log."""
    if not stderr.is_terminal:
        return make_engine(settings, _logged())
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def draw(step: str, share: float | None, /) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=None)
            bars.update(tasks[step], total=None if share is None else 1.0, completed=share or 0.0)

        return make_engine(settings, draw)


def _logged() -> Report:
    said: set[str] = set()

    def log(step: str, _share: float | None, /) -> None:
        if step not in said:
            said.add(step)
            logging.getLogger("chatapp").info("%s", step)

    return log


if __name__ == "__main__":
    cli()
