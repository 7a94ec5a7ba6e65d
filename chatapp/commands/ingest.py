"""``ingest``: documents into a collection, with their progress."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chatapp.bootstrap_knowledge import PUBLIC
from chatapp.commands.terminal import (
    AsJson,
    InCollection,
    one_sentence_on_failure,
    open_knowledge,
    stderr,
    write_json,
)
from chatapp.errors import ChatAppError
from chatapp.flows.ingest import Ingest, Upload
from chatapp.knowledge_records import IngestFile

FINISHED = ("done", "unchanged", "failed", "stopped")

Draw = Callable[[Sequence[IngestFile]], None]


def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(exists=True, metavar="PATH", help="Files, folders and ZIP archives."),
    ],
    collection: InCollection = PUBLIC,
    as_json: AsJson = False,
) -> None:
    """Read documents into a collection, which is made if it is missing.

    A document that is there already is left alone, a changed one is replaced. A JSONL file whose
    rows have id, title and text is one document a row.
    """
    with one_sentence_on_failure(), open_knowledge() as knowledge:
        began = time.monotonic()
        target = knowledge.collections.ensure(collection)
        batch = knowledge.ingest.add(target.id, [Upload(path.name, path) for path in paths])
        files = follow(knowledge.ingest, batch)
        report(files, collection, time.monotonic() - began, as_json=as_json)


def follow(ingest: Ingest, batch_id: str) -> Sequence[IngestFile]:
    """Work until every file of a batch is finished, and show how far it is.

    Raises:
        StorageError: the database or the disk refused.
    """
    with _bars() as draw:
        return asyncio.run(_work(ingest, batch_id, draw))


def report(files: Sequence[IngestFile], collection: str, seconds: float, *, as_json: bool) -> None:
    """Say what became of each file.

    Raises:
        ChatAppError: some of them could not be read, and why.
    """
    counts = Counter(file.status for file in files)
    passages = sum(file.passages for file in files if file.status == "done")
    if as_json:
        write_json(
            {
                "collection": collection,
                "files": [
                    {
                        "name": file.name,
                        "status": file.status,
                        "passages": file.passages,
                        "reason": file.reason,
                    }
                    for file in files
                ],
                "passages": passages,
                "seconds": round(seconds, 3),
            }
        )
    else:
        rate = f"{passages / seconds:,.0f} passages a second" if passages else "no new passages"
        typer.echo(
            f"{len(files)} files: {counts['done']} read, {counts['unchanged']} unchanged, "
            f"{counts['failed']} failed, {counts['stopped']} stopped; {passages:,} passages in "
            f"{seconds:,.1f} s ({rate})."
        )
    reasons = [file.reason or f"{file.name} failed." for file in files if file.status == "failed"]
    if reasons:
        raise ChatAppError("\n".join(reasons))


async def _work(ingest: Ingest, batch_id: str, draw: Draw) -> Sequence[IngestFile]:
    files: Sequence[IngestFile] = ()
    working = asyncio.create_task(ingest.finish(batch_id))
    try:
        async for files in ingest.watch(batch_id):
            draw(files)
            if working.done():
                await working  # says what went wrong
        await working
    finally:
        working.cancel()
    return files


@contextmanager
def _bars() -> Iterator[Draw]:
    """Files, and under them the pages or passages of the one that is being read."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=stderr, transient=True) as bars:
        whole = bars.add_task("Files", total=None, rate="")
        part = bars.add_task("", total=None, rate="", visible=False)

        def draw(files: Sequence[IngestFile]) -> None:
            done = sum(file.status in FINISHED for file in files)
            rate = sum(file.passages for file in files) / (time.monotonic() - began)
            bars.update(whole, total=len(files), completed=done, rate=f"{rate:,.0f} passages/s")
            current = next((file for file in files if file.status == "working"), None)
            if current is None:
                bars.update(part, visible=False)
            else:
                bars.update(
                    part,
                    description=f"{current.name} · {current.step}",
                    total=current.total or None,
                    completed=current.done,
                    visible=True,
                )

        yield draw
