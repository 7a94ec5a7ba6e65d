"""``models``: the model's weights."""

from __future__ import annotations

from dataclasses import asdict

import typer

from chatapp.commands.terminal import (
    AsJson,
    one_sentence_on_failure,
    prepared_engine,
    read_settings,
    write_json,
)

models = typer.Typer(no_args_is_help=True, help="The model's weights.")


@models.callback()
def _group() -> None:
    """Keeps ``prepare`` a sub-command while it is the only one."""


@models.command()
def prepare(as_json: AsJson = False) -> None:
    """Fetch and convert the weights that the chosen engine needs, then stop."""
    with one_sentence_on_failure():
        info = prepared_engine(read_settings()).info
    if as_json:
        write_json(asdict(info))
    else:
        typer.echo(f"{info.model} is ready for the {info.engine} engine ({info.quantization}).")
