"""What the commands share: their options, their one sentence on failure, bars and JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from chatapp import bootstrap
from chatapp.engine.base import Engine
from chatapp.engine.choice import make_engine
from chatapp.engine.models.conversion import Progress as Report
from chatapp.engine.on_demand import OnDemandEngine
from chatapp.errors import ChatAppError
from chatapp.flows.adapters_live import LIVE
from chatapp.settings import Settings, load_settings

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON object, for a program.")]
InCollection = Annotated[
    str, typer.Option("--collection", help="The knowledge base that is meant.")
]

stdout = Console()
stderr = Console(stderr=True)


def read_settings(**options: object) -> Settings:
    """The settings, with options that were given winning over them; logging begins.

    Raises:
        SettingsError: a wrong value, and of what.
    """
    given = {name: value for name, value in options.items() if value is not None}
    settings = load_settings(**given)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return settings


@contextmanager
def one_sentence_on_failure() -> Iterator[None]:
    """A failure is one sentence on standard error and exit code 1."""
    try:
        yield
    except ChatAppError as error:
        stderr.print(error.sentence, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@contextmanager
def open_knowledge() -> Iterator[bootstrap.Knowledge]:
    """The knowledge of the data folder that the settings name.

    Raises:
        SettingsError: a wrong setting.
        StorageError: the data folder or the database cannot be used.
    """
    with closing(bootstrap.knowledge(read_settings())) as knowledge:
        yield knowledge


def write_json(value: object) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False))


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar that grows by one with each call, where standard error is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(*columns, console=stderr, transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda: bars.advance(task)


def prepared_engine(settings: Settings) -> Engine:
    """The engine with its weights ready; a bar for each step that takes, a line in a log.

    Raises:
        ModelError: the weights cannot be had.
        SettingsError: the chosen engine cannot run this model.
    """
    if not stderr.is_terminal:
        return make_engine(settings, _logged())
    columns = (TextColumn("{task.description}"), BarColumn(), Elapsed())
    with Progress(*columns, console=stderr, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def draw(step: str, share: float | None, /) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=None)
            bars.update(tasks[step], total=None if share is None else 1.0, completed=share or 0.0)

        return make_engine(settings, draw)


def lazy_engine(settings: Settings, adapter: str = LIVE) -> Engine:
    """The engine with its weights ready, started by its first request.

    Args:
        adapter: ``live``, ``base``, or the name of the one that answers.

    Raises:
        NotFound: there is no adapter of that name.
        ModelError: the weights cannot be had.
        SettingsError: the chosen engine cannot run this model.
    """
    chosen = bootstrap.taught(settings).adapters.find(adapter)
    place = None if chosen is None else (chosen.name, Path(chosen.folder))
    return OnDemandEngine(prepared_engine(settings), place)


def _logged() -> Report:
    said: set[str] = set()

    def log(step: str, _share: float | None, /) -> None:
        if step not in said:
            said.add(step)
            logging.getLogger("chatapp").info("%s", step)

    return log
