"""``classify``: one text, sorted by a classifier that was taught."""

from __future__ import annotations

from typing import Annotated

import typer

from chatapp import bootstrap
from chatapp.commands.terminal import AsJson, one_sentence_on_failure, read_settings, write_json
from chatapp.errors import InvalidRequest, NotFound
from chatapp.flows.classifying import PURPOSES
from chatapp.training_records import Purpose

_SHOWN = 5
"""Labels beside the likeliest one."""


def classify(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A classifier; or intent, topic or sentiment for the live one."
        ),
    ],
    text: Annotated[str, typer.Argument(help="What is to be sorted.")],
    as_json: AsJson = False,
) -> None:
    """Sort a text into labels, with their probabilities."""
    with one_sentence_on_failure():
        if not text.strip():
            raise InvalidRequest("The text is empty.")
        training = bootstrap.taught(read_settings())
        for purpose in PURPOSES:
            if name == purpose:
                name = _live(training, purpose)
        ((adapter, said),) = training.classifying.classify([text], name)
    probabilities = dict(sorted(said[0].items(), key=lambda one: -one[1]))
    label = next(iter(probabilities))
    if as_json:
        write_json(
            {
                "model": adapter.name,
                "purpose": adapter.slot,
                "label": label,
                "confidence": probabilities[label],
                "probabilities": probabilities,
            }
        )
        return
    typer.echo(f"{label}  {probabilities[label]:.1%}")
    for other, probability in list(probabilities.items())[1 : _SHOWN + 1]:
        typer.echo(f"  {other}  {probability:.1%}")


def _live(training: bootstrap.Training, purpose: Purpose) -> str:
    live = training.adapters.live(purpose)
    if live is None:
        raise NotFound(
            f"No {purpose} classifier is live. Promote one: python -m chatapp adapters promote NAME"
        )
    return live.name
