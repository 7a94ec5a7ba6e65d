"""CSV and TSV: one table, its first row the header."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.draft import LONGEST_TEXT, Draft, Progress
from chatapp.knowledge.loading.tables import markdown_table
from chatapp.knowledge.loading.text_bytes import read_text

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 50


def load_delimited(path: Path, draft: Draft, progress: Progress) -> None:
    """Read a file of separated values, whatever separates them.

    Raises:
        DocumentError: a row that is longer than a row can be, and its line.
    """
    text = read_text(path, draft.name).replace("\0", "")
    csv.field_size_limit(LONGEST_TEXT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    try:
        rows = list(reader)
    except csv.Error as error:
        raise DocumentError(
            f"{draft.name}, line {reader.line_num}, is not a row of a table ({error}). Look for "
            'a quotation mark " that is never closed.',
            file=draft.name,
            line=reader.line_num,
        ) from None
    draft.block(markdown_table(rows))
    progress(len(rows), len(rows))


def delimiter_of(text: str) -> str:
    """The one that cuts the first lines into the same number of cells, and into most of them."""
    lines = text.splitlines()[:_SAMPLE_LINES]

    def score(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        usual = max(set(counts), key=counts.count, default=1)
        return (counts.count(usual) if usual > 1 else 0), usual

    return max(_DELIMITERS, key=score)
