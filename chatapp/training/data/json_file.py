"""JSON: a list of rows, an object that holds such a list, or an object of columns.

The file is parsed as a stream of events, so that neither its size nor its depth can do harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chatapp.training.data.json_depth import Builder, TooLarge
from chatapp.training.data.json_events import ENDS, STARTS, events_of
from chatapp.training.data.json_lines import rows_of
from chatapp.training.data.limits import MOST_COLUMNS, refusal, shortened
from chatapp.training.data.places import Collected
from chatapp.training.data.table import Layout, Row, Table, tabulate
from chatapp.training.data.text_file import detect_encoding
from chatapp.training_records import Finding

_LIST_DEPTH = 3
"""Objects around the list of rows, at most."""

Keys = tuple[str, ...]
"""The keys that lead to a place; none to the outermost list."""


class _Outline:
    """What lies where in a JSON file, without what is in its lists.

    Attributes:
        kind: the event with which it begins.
        lists: how many entries each list has that is not within another.
        records: how many of them are objects or lists.
        indexed: objects whose keys are numbers, as pandas writes columns, and their sizes.
        top: the first keys.
    """

    def __init__(self) -> None:
        self.kind = ""
        self.lists: dict[Keys, int] = {}
        self.records: dict[Keys, int] = {}
        self.indexed: dict[Keys, int] = {}
        self.top: list[str] = []
        self._keys: list[str] = []
        self._inside = 0  # lists and objects that are open, from the outermost list on

    def feed(self, event: str, value: object) -> None:
        """Take the next event."""
        self.kind = self.kind or event
        if self._inside:
            self._feed_list(event)
        elif event == "start_array":
            self._inside = 1
            if len(self._keys) <= _LIST_DEPTH and len(self.lists) < MOST_COLUMNS:
                self.lists[tuple(self._keys)] = self.records[tuple(self._keys)] = 0
        elif event == "start_map":
            self._keys.append("")
        elif event == "end_map":
            self._keys.pop()
        elif event == "map_key":
            self._note_key(str(value))

    def _feed_list(self, event: str) -> None:
        at = tuple(self._keys)
        if self._inside == 1 and at in self.lists and event not in ENDS:
            self.lists[at] += 1
            self.records[at] += event in STARTS
        self._inside += (event in STARTS) - (event in ENDS)

    def _note_key(self, key: str) -> None:
        self._keys[-1] = key
        if len(self._keys) == 1 and len(self.top) < MOST_COLUMNS:
            self.top.append(key)
        if len(self._keys) == 2 and key.isascii() and key.isdigit():
            at = (self._keys[0],)
            self.indexed[at] = self.indexed.get(at, 0) + 1


def read_json(path: Path, name: str) -> Table:
    """Read a JSON file.

    Raises:
        DatasetError: no JSON, and where it goes wrong; too deep; or no rows in it.
    """
    encoding = detect_encoding(path)
    outline = _Outline()
    for event, value in events_of(path, name, encoding):
        outline.feed(event, value)
    if outline.kind == "start_array":
        return _table_of_list(path, name, encoding, (), ())
    if outline.kind != "start_map":
        raise refusal(name, f" is a single JSON value. {_expected()}")
    columns = _columns(outline)
    if columns:
        return _table_of_columns(path, name, encoding, columns)
    found = [at for at, count in outline.records.items() if count]
    if not found:
        found = [at for at, count in outline.lists.items() if count]
    if found:
        most = max(found, key=lambda at: outline.lists[at])
        return _table_of_list(path, name, encoding, most, _other_lists(name, outline, found, most))
    known = shortened(", ".join(outline.top[:5]), 80)
    raise refusal(
        name, f" holds no list of rows, but an object with the keys {known}. {_expected()}"
    )


def _expected() -> str:
    return (
        'A list of objects is expected, such as [{"question": "…", "answer": "…"}], or an object '
        "that holds one."
    )


def _other_lists(
    name: str, outline: _Outline, found: list[Keys], most: Keys
) -> tuple[Finding, ...]:
    if len(found) == 1:
        return ()
    shown = ", ".join(f"{_dotted(at)} ({outline.lists[at]:,} entries)" for at in found[:5])
    note = Finding(
        kind="other_lists",
        severity="note",
        sentence=f"{name} holds several lists: {shown}. {_dotted(most)}, the longest, was read; "
        "save another one as a file of its own if that is meant.",
        count=len(found),
    )
    return (note,)


def _dotted(at: Keys) -> str:
    return shortened(".".join(at), 60) or "the list"


def _columns(outline: _Outline) -> tuple[Keys, ...]:
    """The top keys that hold columns: lists of plain values, equally long."""
    plain = {
        at: count
        for at, count in outline.lists.items()
        if len(at) == 1 and count and not outline.records.get(at)
    }
    plain = plain or {at: count for at, count in outline.indexed.items() if len(at) == 1}
    # A single list may as well be one of texts, which is read as the list it is.
    if len(plain) < 2 or len(set(plain.values())) > 1:
        return ()
    return tuple(plain)


def _table_of_list(
    path: Path, name: str, encoding: str, at: Keys, notes: tuple[Finding, ...]
) -> Table:
    def reader(_collected: Collected) -> Iterator[Row]:
        for number, value in enumerate(_entries(path, name, encoding, at), 1):
            for cells in rows_of(value):
                yield Row(number, cells)

    return tabulate(name, Layout(kind="json", unit="entry", notes=notes), reader)


def _table_of_columns(path: Path, name: str, encoding: str, columns: tuple[Keys, ...]) -> Table:
    """All columns are read before the first row can be put together."""

    def reader(_collected: Collected) -> Iterator[Row]:
        values = [list(_entries(path, name, encoding, at)) for at in columns]
        names = [at[0] for at in columns]
        for number, cells in enumerate(zip(*values, strict=False), 1):
            yield Row(number, dict(zip(names, cells, strict=True)))

    layout = Layout(kind="json", unit="entry", columns=tuple(at[0] for at in columns))
    return tabulate(name, layout, reader)


def _entries(path: Path, name: str, encoding: str, at: Keys) -> Iterator[object]:
    """The values of the list, or of the object with numbers as keys, that lies there."""
    keys: list[str] = []
    skipped = 0  # lists and objects that are open within a list that is not meant
    builder: Builder | None = None
    wanted = False
    number = 1
    for event, value in events_of(path, name, encoding):
        if wanted:
            if builder is None and event in ENDS:
                return
            if builder is None and event == "map_key":
                continue
            builder = builder or Builder()
            try:
                builder.feed(event, value)
            except TooLarge:
                raise refusal(
                    name, f", entry {number}, holds far more values than an example has.", number
                ) from None
            if builder.done:
                yield builder.value
                builder = None
                number += 1
        elif skipped:
            skipped += (event in STARTS) - (event in ENDS)
        elif event in STARTS:
            if tuple(keys) == at:
                wanted = True
            elif event == "start_array":
                skipped = 1
            else:
                keys.append("")
        elif event == "map_key":
            keys[-1] = str(value)
        elif event == "end_map":
            keys.pop()
