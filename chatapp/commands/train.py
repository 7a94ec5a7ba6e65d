"""``train``: a labelled file becomes an adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chatapp.bootstrap import taught
from chatapp.commands.terminal import (
    AsJson,
    one_sentence_on_failure,
    read_settings,
    stderr,
    write_json,
)
from chatapp.errors import InvalidRequest, TrainingError
from chatapp.flows.finetune import FineTune
from chatapp.flows.finetune_command import settings_of
from chatapp.training.config import Preset, RunConfig
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import Dataset, Diagnosis, Report, Run, Task

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)
_LONG = frozenset({"predictions", "answers", "corrections", "confusion", "labels"})
"""What of a report is for the page: one entry an example or a label."""

_STOPPING = (
    "Stopping: the best so far is kept and measured. Press Ctrl+C once more to leave it to that."
)


def train(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="The labelled data."),
    ],
    task: Annotated[Task, typer.Option(help="Learn to answer, or to sort texts into labels.")],
    name: Annotated[str, typer.Option(help="What the adapter will be called.")],
    preset: Annotated[Preset, typer.Option(help="How much time it may take.")] = "balanced",
    base: Annotated[str, typer.Option(help="The model that learns.")] = "auto",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting of a run; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn from a file of examples, measure what was learned, and keep it as an adapter.

    Rows that the data doctor has errors for are set aside. Ctrl+C stops early and keeps the best
    so far. The run goes on by itself where this command is killed.
    """
    with one_sentence_on_failure():
        training = taught(read_settings())
        finetune = training.finetune
        dataset = finetune.add_dataset(file.name, file, again=False)
        config = _config(finetune, dataset, task, name, preset, base, settings or [])
        _warn(finetune.examine(dataset.id, task, config.base))
        run = _follow(finetune, finetune.launch(dataset.id, config).id)
        _report(finetune, run, as_json=as_json)


def _config(
    finetune: FineTune,
    dataset: Dataset,
    task: Task,
    name: str,
    preset: Preset,
    base: str,
    assignments: list[str],
) -> RunConfig:
    """The settings; a wrong one is wrong usage."""
    try:
        more = settings_of(assignments)
        return finetune.settle(dataset.id, name, task, preset, base=base, **more)
    except InvalidRequest as error:
        raise typer.BadParameter(error.sentence) from None


def _warn(diagnosis: Diagnosis) -> None:
    """What is wrong with the file, and how much of it is left."""
    for finding in diagnosis.findings:
        if finding.severity != "note":
            stderr.print(f"{finding.severity}: {finding.sentence}", markup=False, soft_wrap=True)
    aside = f"; {diagnosis.set_aside:,} rows are set aside" if diagnosis.set_aside else ""
    stderr.print(f"{diagnosis.ready:,} examples can be learned from{aside}.", markup=False)


def _follow(finetune: FineTune, run_id: str) -> Run:
    """Show how far the run is, until it has ended.

    Raises:
        ChatAppError: what it learned cannot be kept.
        typer.Exit: the user left; the run goes on.
    """
    with _bar(finetune.folder(run_id)) as draw:
        asked = False
        while True:
            try:
                for run in finetune.follow(run_id):
                    draw(run)
                return run
            except KeyboardInterrupt:
                if asked:
                    stderr.print(f"Run {run_id} goes on by itself.", markup=False)
                    raise typer.Exit(1) from None
                asked = True
                stderr.print(_STOPPING, markup=False)
                finetune.stop(run_id, "keep")


@contextmanager
def _bar(folder: RunFolder) -> Iterator[Callable[[Run], None]]:
    """Steps, losses and the time left on a terminal; each phase and notice once in a log."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    said: set[str] = set()
    with Progress(*columns, console=stderr, transient=True) as bars:
        task = bars.add_task("", total=None, figures="")

        def draw(run: Run) -> None:
            state = run.state
            for notice in state.notices:
                if notice not in said:
                    said.add(notice)
                    stderr.print(notice, markup=False, soft_wrap=True)
            what = "Waiting for another run" if state.status == "queued" else state.phase
            if not stderr.is_terminal and what and what not in said:
                said.add(what)
                stderr.print(what, markup=False)
            figures = f"{_losses(folder)}{_left(state.seconds_left)}" if stderr.is_terminal else ""
            bars.update(
                task,
                description=what,
                total=state.steps or None,
                completed=state.step,
                figures=figures,
            )

        yield draw


def _losses(folder: RunFolder) -> str:
    points = folder.metrics()
    loss = next((one.loss for one in reversed(points) if one.loss is not None), None)
    checked = next((one.eval_loss for one in reversed(points) if one.eval_loss is not None), None)
    shown = f"loss {loss:.3f}" if loss is not None else ""
    return shown + (f", validation {checked:.3f}" if checked is not None else "")


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return f" · {minutes} left"


def _report(finetune: FineTune, run: Run, *, as_json: bool) -> None:
    """What came of it.

    Raises:
        TrainingError: the run failed, and why.
    """
    folder, state = finetune.folder(run.id), run.state
    adapter, report = finetune.adapter_name(run.id), folder.report
    if as_json:
        figures = _REPORT.dump_python(report, mode="json", exclude=set(_LONG)) if report else None
        write_json(
            {
                "run": run.id,
                "status": state.status,
                "adapter": adapter,
                "seconds": state.seconds,
                "report": figures,
                "notices": list(state.notices),
                "reason": state.reason,
            }
        )
    elif report is not None:
        typer.echo(report.sentence)
        if adapter is not None:
            typer.echo(
                f"It is kept as {adapter}, and took {state.seconds:,.0f} s. Let it answer with: "
                f"python -m chatapp adapters promote {adapter}"
            )
    if state.status not in ("done", "stopped"):
        raise TrainingError(state.reason or f"The run was {state.status}.")
