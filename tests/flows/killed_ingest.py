"""Ingestion in child processes that are killed at random moments, again and again.

Run as a program it works off the queue of a data folder, and prints how often it was killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from chatapp.knowledge_records import Vectors
from tests.fake_knowledge import FakeEmbedder
from tests.flows.ingesting import Bench

FILES = 12
ROWS = 450
KILLS = 10


def expected() -> dict[str, list[str]]:
    """What must be stored in the end."""
    texts = {f"{file}.txt": [f"{file} says {line}" for line in range(40)] for file in range(FILES)}
    # The last one was there before, with another text.
    return texts | {f"row {row}": [f"row {row} says this"] for row in range(ROWS)}


def prepared(folder: Path) -> tuple[Bench, Callable[[], list[str]]]:
    """A queue of files, one of them a changed one, and an index that follows from the start."""
    bench = Bench(folder)
    old = f"{FILES - 1}.txt"
    first = bench.add(bench.write(old, "outdated"))
    asyncio.run(bench.ingest.finish(first))
    known: dict[int, str] = {}
    seen = 0

    def follow() -> list[str]:
        nonlocal seen
        now = bench.documents.revision(bench.collection.id)
        for gone in bench.documents.removed_since(bench.collection.id, seen):
            known.pop(gone, None)
        for batch in bench.documents.added_since(bench.collection.id, bench.embedder.name, seen):
            known.update((one.id, one.text) for one in batch.passages)
        seen = now
        return sorted(known.values())

    assert follow() == ["outdated"]
    rows = [
        json.dumps({"id": name, "title": "", "text": lines[0]})
        for name, lines in expected().items()
        if not name.endswith(".txt")
    ]
    bench.add(bench.write("rows.jsonl", "\n".join(rows)))
    for name, lines in expected().items():
        if name.endswith(".txt"):
            bench.add(bench.write(name, "\n".join(lines)))
    bench.database.close()
    return bench, follow


class SlowEmbedder(FakeEmbedder):
    """Takes a moment, and says when it is asked."""

    def __init__(self, ears: int) -> None:
        super().__init__()
        self._ears = ears

    def embed(self, texts: Sequence[str]) -> Vectors:
        os.write(self._ears, b".")
        time.sleep(0.001)
        return super().embed(texts)


def work_until_killed(folder: Path, chance: random.Random) -> bool:
    """One process, killed after a random number of batches and a random while.

    Returns:
        Whether it was killed before it could finish.
    """
    ears, mouth = os.pipe()
    child = os.fork()
    if not child:
        os.close(ears)
        bench = Bench(folder, embedder=SlowEmbedder(mouth))
        for batch in {file.batch_id for file in bench.files.list()}:
            asyncio.run(bench.ingest.finish(batch))
        os._exit(0)
    os.close(mouth)
    for _ in range(chance.randint(1, 5)):
        os.read(ears, 1)
    time.sleep(chance.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.close(ears)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(folder: Path) -> int:
    chance = random.Random(3)
    kills = 0
    while kills < KILLS and work_until_killed(folder, chance):
        kills += 1
    bench = Bench(folder)
    for batch in {file.batch_id for file in bench.files.list()}:
        asyncio.run(bench.ingest.finish(batch))
    return kills


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
