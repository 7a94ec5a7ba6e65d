"""``demo``: the documents and the FAQ of a small outdoor shop, to try things out with."""

from __future__ import annotations

import time

import typer

from chatapp.bootstrap_knowledge import PUBLIC
from chatapp.commands.ingest import follow, report
from chatapp.commands.terminal import (
    AsJson,
    InCollection,
    one_sentence_on_failure,
    open_knowledge,
)
from chatapp.flows.demo import QUESTIONS, Demo


def demo(collection: InCollection = PUBLIC, as_json: AsJson = False) -> None:
    """Load the demo: an outdoor shop's handbook, price list and FAQ in English and Chinese."""
    with one_sentence_on_failure(), open_knowledge() as knowledge:
        began = time.monotonic()
        shop = Demo(knowledge.ingest, knowledge.faqs, knowledge.collections)
        files = follow(knowledge.ingest, shop.load(collection))
        report(files, collection, time.monotonic() - began, as_json=as_json)
    if not as_json:
        typer.echo(f"Measure it: python -m chatapp evaluate routes {QUESTIONS}")
