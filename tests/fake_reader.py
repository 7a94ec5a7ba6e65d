"""A reader of plain text in this process, and a splitter that makes each line a passage."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from chatapp.errors import DocumentError
from chatapp.knowledge_records import LoadedDocument, NewPassage


class FakeReader:
    """Reads text, whose pages are parted by form feeds, and JSONL rows.

    A text with the word DAMAGED in it cannot be read, one with the word CRASH is a bug. A file
    named in ``held`` waits between its pages until the test goes on, or until it is closed.
    """

    def __init__(self, *held: str) -> None:
        self.held = set(held)
        self.read_names: list[str] = []
        self._reached = threading.Event()
        self._go_on = threading.Event()
        self._closed = threading.Event()

    def reached(self) -> None:
        """Wait until a held file is being read."""
        assert self._reached.wait(10)

    def go_on(self) -> None:
        """Let it be read."""
        self._go_on.set()

    def close(self) -> None:
        self._closed.set()
        self._go_on.set()

    def read(
        self, path: Path, name: str, progress: Callable[[int, int], None]
    ) -> Iterator[LoadedDocument]:
        self.read_names.append(name)
        text = path.read_text("utf-8")
        if name in self.held:
            progress(0, 1)
            self._reached.set()
            assert self._go_on.wait(10)
            if self._closed.is_set():
                raise DocumentError(f"{name} was not read to its end, as reading was stopped.")
        if "CRASH" in text:
            raise RuntimeError("a bug")
        if path.suffix == ".jsonl":
            for number, line in enumerate(text.splitlines(), 1):
                if "DAMAGED" in line:
                    raise DocumentError(f"{name}, line {number}, is damaged.")
                row = json.loads(line)
                progress(number, 0)
                yield LoadedDocument(
                    name=row["id"], title=row["title"], kind="row", text=row["text"]
                )
            return
        if "DAMAGED" in text:
            raise DocumentError(f"{name} is damaged.")
        pages = text.split("\f")
        for done in range(len(pages)):
            progress(done + 1, len(pages))
        yield LoadedDocument(name=name, title=Path(name).stem, kind="text", text=text)


def by_line(
    document: LoadedDocument, count_tokens: Callable[[str], int], max_tokens: int
) -> list[NewPassage]:
    """Each line is a passage, however long."""
    passages, start = [], 0
    for line in document.text.split("\n"):
        if line.strip():
            passages.append(
                NewPassage(
                    text=line,
                    heading=(),
                    page=None,
                    start=start,
                    end=start + len(line),
                    language="en",
                )
            )
        start += len(line) + 1
    return passages
