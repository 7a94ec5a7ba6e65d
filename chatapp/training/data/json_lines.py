"""JSONL: a value on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from chatapp.training.data.json_depth import is_too_deep
from chatapp.training.data.limits import DEEPEST
from chatapp.training.data.places import Collected, be, rows
from chatapp.training.data.table import Layout, Row, Table, tabulate
from chatapp.training.data.text_file import broken_text, detect_encoding, lines

_NESTED = ("paragraphs", "qas")


def read_json_lines(path: Path, name: str) -> Table:
    """Read a file with a JSON value on each line; lines that are none are left out and named.

    Raises:
        DatasetError: a line that is too long, or most of them are no JSON.
    """
    encoding = detect_encoding(path)

    def reader(collected: Collected) -> Iterator[Row]:
        for number, line in enumerate(lines(path, name, encoding), 1):
            text = line.strip("\ufeff \t\r\n\0")
            if not text:
                continue
            try:
                value = json.loads(text)
            except json.JSONDecodeError as error:
                collected.add(
                    "unreadable",
                    "error",
                    _no_json,
                    file=name,
                    row=number,
                    value=f"{error.msg} at character {error.colno}: {text}",
                )
                continue
            except (RecursionError, ValueError):  # or a number with thousands of digits
                collected.add("too_deep", "error", _too_deep, file=name, row=number, value=text)
                continue
            if is_too_deep(value):
                collected.add("too_deep", "error", _too_deep, file=name, row=number, value=text)
                continue
            if "\ufffd" in text:
                collected.add(
                    "broken_text", "warning", broken_text, file=name, row=number, value=text
                )
            for cells in rows_of(value):
                yield Row(number, cells)

    return tabulate(name, Layout(kind="jsonl", unit="line"), reader)


def rows_of(value: object) -> Iterator[dict[str, object]]:
    """The rows that an entry stands for: an object, a list of turns, of cells, or a text.

    An article with questions below it (SQuAD, CMRC) is a row for each of them.
    """
    if isinstance(value, dict):
        cells = {str(key).strip()[:100] or "(no name)": cell for key, cell in value.items()}
        for key in _NESTED:
            below = cells.get(key)
            if isinstance(below, list) and below and all(isinstance(one, dict) for one in below):
                del cells[key]
                for one in below:
                    for row in rows_of(one):
                        yield cells | row
                return
        yield cells
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        yield {"messages": value}
    elif isinstance(value, list):
        yield {f"column {at}": cell for at, cell in enumerate(value, 1)}
    else:
        yield {"text": value}


def _no_json(count: int) -> str:
    return (
        f"{rows(count)} {be(count)} left out, because the line is not JSON. Each line must be one "
        'whole object such as {"question": "…", "answer": "…"}.'
    )


def _too_deep(count: int) -> str:
    return (
        f"{rows(count)} {be(count)} left out, because lists and objects are nested more than "
        f"{DEEPEST} deep or a number has thousands of digits. Simplify them."
    )
