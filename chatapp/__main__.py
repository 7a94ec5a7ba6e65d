"""The command line: ``python -m chatapp`` and a command.

``serve | ask | ingest | faq | evaluate | demo | doctor | train | models``
"""

from __future__ import annotations

import typer

from chatapp.commands.adapters import adapters
from chatapp.commands.ask import ask
from chatapp.commands.classify import classify
from chatapp.commands.demo import demo
from chatapp.commands.doctor import doctor
from chatapp.commands.evaluate import evaluate
from chatapp.commands.faq import faq
from chatapp.commands.ingest import ingest
from chatapp.commands.models import models
from chatapp.commands.serve import serve
from chatapp.commands.train import train

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for command in (serve, ask, ingest, demo, classify, doctor, train):
    cli.command()(command)
cli.add_typer(faq, name="faq")
cli.add_typer(evaluate, name="evaluate")
cli.add_typer(adapters, name="adapters")
cli.add_typer(models, name="models")

if __name__ == "__main__":
    cli()
