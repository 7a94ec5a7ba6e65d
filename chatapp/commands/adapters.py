"""``adapters``: what was learned, and what of it answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from chatapp import bootstrap
from chatapp.commands.terminal import (
    AsJson,
    one_sentence_on_failure,
    read_settings,
    stderr,
    stdout,
    write_json,
)
from chatapp.errors import ModelError
from chatapp.flows.adapters import What
from chatapp.flows.finetune_bases import AUTO, Bases
from chatapp.settings import Settings
from chatapp.training_records import Adapter, ChatReport, ClassifyReport, Promotion, Slot

adapters = typer.Typer(no_args_is_help=True, help="What was learned, and what of it answers.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="An adapter's name.")]


@adapters.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show every adapter, newest first, and which are live."""
    with one_sentence_on_failure():
        found = bootstrap.taught(read_settings()).adapters.list()
    if as_json:
        write_json({"adapters": [_facts(one) for one in found]})
        return
    table = Table("Name", "For", "Live", "On its test part", "Base", "Made", box=None)
    for one in found:
        made = f"{one.created_at:%Y-%m-%d %H:%M}"
        table.add_row(
            one.name, one.slot, "live" if one.live else "", _figure(one), one.base_model, made
        )
    if found:
        stdout.print(table)
    else:
        typer.echo("Nothing was learned yet. Begin with: python -m chatapp train --help")


@adapters.command()
def promote(
    name: Name,
    reason: Annotated[
        str, typer.Option(help="Why it should go live although it did not pass the gate.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Let an adapter answer from now on, also in servers that run; it has to be the better one."""
    with one_sentence_on_failure():
        registry = bootstrap.taught(read_settings()).adapters
        done = asyncio.run(registry.promote(name, reason))
    _say(done, f"{name} is live for {done.slot}.", as_json=as_json)


@adapters.command()
def rollback(
    slot: Annotated[Slot, typer.Argument(metavar="SLOT", help="chat, intent, topic, sentiment.")],
    as_json: AsJson = False,
) -> None:
    """Bring back what was live before the last promotion."""
    with one_sentence_on_failure():
        registry = bootstrap.taught(read_settings()).adapters
        done = asyncio.run(registry.rollback(slot))
    _say(done, f"{done.adapter or 'The base'} is live for {slot} again.", as_json=as_json)


@adapters.command()
def export(
    name: Name,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder, a .zip, or the card's .md file.")
    ],
    what: Annotated[
        What, typer.Option(help="A PEFT folder, merged weights, or the model card.")
    ] = "peft",
    as_json: AsJson = False,
) -> None:
    """Write an adapter for others: it loads with plain peft, or merged into its base."""
    with one_sentence_on_failure():
        bootstrap.taught(read_settings()).adapters.export(name, what, out)
    if as_json:
        write_json({"adapter": name, "what": what, "path": str(out)})
    else:
        typer.echo(f"{name} is in {out}.")


@adapters.command("import")
def import_(
    path: Annotated[
        Path, typer.Argument(exists=True, metavar="PATH", help="A folder, or a .zip of one.")
    ],
    name: Annotated[str, typer.Option(help="What it will be called here.")],
    slot: Annotated[Slot, typer.Option(help="What it is for.")] = "chat",
    as_json: AsJson = False,
) -> None:
    """Take in somebody's adapter: safetensors only, and only for the model that answers here."""
    with one_sentence_on_failure():
        settings = read_settings()
        if slot == "chat":
            _prepare_base(settings)
        made = bootstrap.taught(settings).adapters.import_(path, name, slot)
    if as_json:
        write_json(_facts(made))
    else:
        typer.echo(
            f"{name} is kept. Compare it in the chat, or let it answer with: "
            f"python -m chatapp adapters promote {name} --reason …"
        )


def _prepare_base(settings: Settings) -> None:
    """Its weights are what an adapter is checked against; where they cannot be had, the server
    checks it when it is promoted."""
    if settings.engine != "remote" and settings.remote_base_url is None:
        with suppress(ModelError), stderr.status("Preparing the weights of the chat's model"):
            Bases(settings.model, settings.data).learner("chat", AUTO, {}, 0)


def _say(done: Promotion, sentence: str, *, as_json: bool) -> None:
    if as_json:
        write_json(
            {
                "slot": done.slot,
                "live": done.adapter,
                "at": done.at.isoformat(),
                "reason": done.reason,
                "rollback": done.rollback,
            }
        )
    else:
        typer.echo(sentence)


def _facts(adapter: Adapter) -> dict[str, object]:
    return {
        "name": adapter.name,
        "slot": adapter.slot,
        "kind": adapter.kind,
        "live": adapter.live,
        "base_model": adapter.base_model,
        "base_hash": adapter.base_hash,
        "data_hash": adapter.data_hash,
        "run": adapter.run_id,
        "created_at": adapter.created_at.isoformat(),
        "folder": adapter.folder,
        "sentence": adapter.report.sentence if adapter.report else None,
    }


def _figure(adapter: Adapter) -> str:
    match adapter.report:
        case ChatReport(adapter=scores, base=base):
            return f"{scores.contained:.1%} right (base {base.contained:.1%})"
        case ClassifyReport() as report:
            return f"{report.accuracy:.1%} right, macro F1 {report.macro.f1:.3f}"
    return "never measured"
