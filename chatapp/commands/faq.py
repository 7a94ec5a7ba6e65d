"""``faq``: questions with approved answers, in from a file and out to one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from chatapp.bootstrap_knowledge import PUBLIC
from chatapp.commands.terminal import (
    AsJson,
    InCollection,
    one_sentence_on_failure,
    open_knowledge,
    write_json,
)
from chatapp.knowledge.faq_export import write_faqs
from chatapp.knowledge.faq_tables import read_faqs

faq = typer.Typer(no_args_is_help=True, help="Questions with approved answers.")


@faq.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, JSON or JSONL.")],
    collection: InCollection = PUBLIC,
    as_json: AsJson = False,
) -> None:
    """Take in a table with the columns question, answer and, where wanted, language and tags.

    Rows with the same answer become variants of one entry. All rows are taken in, or none.
    """
    with one_sentence_on_failure():
        rows = read_faqs(file)
        with open_knowledge() as knowledge:
            count = knowledge.faqs.import_rows(knowledge.collections.ensure(collection).id, rows)
    if as_json:
        write_json({"collection": collection, "rows": len(rows)} | asdict(count))
    else:
        typer.echo(
            f"{len(rows)} rows: {count.added} new entries, {count.merged} more ways to ask, "
            f"{count.unchanged} unchanged."
        )


@faq.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Its ending says the format: .csv, .xlsx, .json …")],
    collection: InCollection = PUBLIC,
    as_json: AsJson = False,
) -> None:
    """Write every entry to a file that ``import`` reads again."""
    with one_sentence_on_failure(), open_knowledge() as knowledge:
        entries = knowledge.faqs.entries(knowledge.collections.get(collection).id)
        write_faqs(entries, file)
    if as_json:
        write_json({"collection": collection, "entries": len(entries), "file": str(file)})
    else:
        typer.echo(f"{len(entries)} entries are in {file}.")
