"""Any file of labelled data into a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from chatapp.training.data.delimited import read_delimited
from chatapp.training.data.json_file import read_json
from chatapp.training.data.json_lines import read_json_lines
from chatapp.training.data.kinds import Kind, kind_of
from chatapp.training.data.limits import refusal
from chatapp.training.data.parquet import read_parquet
from chatapp.training.data.plain_text import read_plain_text
from chatapp.training.data.table import Table
from chatapp.training.data.workbook import read_workbook

_READERS: Mapping[Kind, Callable[[Path, str], Table]] = {
    "csv": read_delimited,
    "json": read_json,
    "jsonl": read_json_lines,
    "xlsx": read_workbook,
    "parquet": read_parquet,
    "text": read_plain_text,
}


def read_rows(path: Path, name: str = "") -> Table:
    """Read a file from end to end, whatever kind it is; pasted rows are a file too.

    Args:
        path: what to read.
        name: what to call the file in errors; its own name by default.

    Raises:
        DatasetError: one sentence that says what is wrong, where, and what to do.
    """
    name = name or path.name
    try:
        return _READERS[kind_of(path, name)](path, name)
    except OSError as error:
        raise refusal(name, f" cannot be read: {error.strerror or error}.") from None
