"""``serve``: the page and the HTTP API."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from chatapp import bootstrap
from chatapp.commands.terminal import one_sentence_on_failure, prepared_engine, read_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Open the chat page and the HTTP API."""
    with one_sentence_on_failure():
        settings = read_settings(host=host, port=port)
        listener = bootstrap.listen(settings.host, settings.port)
        engine = prepared_engine(settings)
        asyncio.run(bootstrap.serve(settings, engine, listener, _announce))


def _announce(address: str) -> None:
    typer.echo(f"Open {address} in a browser. Ctrl+C stops.")
