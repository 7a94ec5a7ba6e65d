"""Tables of questions: CSV, XLSX, JSON and JSONL files in, the same out.

The columns are ``question``, ``answer`` and, where wanted, ``language`` and ``tags``; others are
left alone. Every row is one way to ask for one answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from chatapp.errors import DocumentError
from chatapp.knowledge.faq_rows import (
    COLUMNS,
    Row,
    json_rows,
    lined_rows,
    separated_rows,
    workbook_rows,
)
from chatapp.knowledge.languages import language_of
from chatapp.knowledge.loading.kinds import kind_of
from chatapp.knowledge_records import NewFaq

LARGEST_FILE = 50 * 1024**2
"""Bytes."""
MOST_ROWS = 100_000

_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]+)*")
_BETWEEN_TAGS = re.compile(r"[,;|，；、\n]")
_READERS = {
    "csv": separated_rows,
    "text": separated_rows,
    "xlsx": workbook_rows,
    "json": json_rows,
    "jsonl": lined_rows,
}


def read_faqs(path: Path, name: str | None = None) -> list[NewFaq]:
    """Read a table of questions; rows without any text are skipped.

    A missing language is that of the answer, so that variants of one entry stay together.

    Args:
        path: what to read.
        name: what to call the file in errors; its own name by default.

    Raises:
        DocumentError: what is wrong, with the file, the row and the column.
    """
    name = name or path.name
    _check_size(path, name)
    reader = _READERS.get(kind_of(path, name))
    if reader is None:
        raise DocumentError(
            f"{name} is not a table of questions. CSV, XLSX, JSON and JSONL files with the "
            f"columns {', '.join(COLUMNS)} can be read.",
            file=name,
        )
    rows: list[NewFaq] = []
    for row in reader(path, name):
        rows += _parsed(row)
        if len(rows) > MOST_ROWS:
            raise DocumentError(
                f"{name} has more than {MOST_ROWS:,} rows. Split it into several files.", file=name
            )
    if not rows:
        raise DocumentError(f"{name} holds no questions.", file=name)
    return rows


def _check_size(path: Path, name: str) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror}.", file=name) from error
    if size > LARGEST_FILE:
        raise DocumentError(
            f"{name} is {size / 1024**2:,.0f} MB large, but a table of questions has at most "
            f"{LARGEST_FILE // 1024**2} MB. Split it into several files.",
            file=name,
        )


def _parsed(row: Row) -> Iterator[NewFaq]:
    """One for each question of the row: in JSON it may have several."""
    if not any(_is_text(value) for value in row.cells.values()):
        return
    questions = row.cells.get("question", "")
    listed = questions if isinstance(questions, list) else [questions]
    answer = _required(row, "answer", row.cells.get("answer", ""))
    language = _language(row, answer)
    tags = tuple(dict.fromkeys(_tags(row)))
    if not listed:
        _refuse(row, "question", "the list is empty")
    for question in listed:
        asked = _required(row, "question", question)
        yield NewFaq(question=asked, answer=answer, language=language, tags=tags)


def _is_text(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [])


def _required(row: Row, column: str, value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        _refuse(row, column, "this is not text")
    if value is None or not value.strip():
        _refuse(row, column, "this is empty; fill it in or remove the row")
    return value.strip()


def _language(row: Row, answer: str) -> str:
    given = row.cells.get("language") or ""
    if not isinstance(given, str) or not given.strip():
        return language_of(answer)
    code = _LANGUAGE.fullmatch(given.strip().lower())
    if code is None:
        _refuse(row, "language", f"{given!r} is not a language code like en or zh")
    return code.group(1)


def _tags(row: Row) -> Iterator[str]:
    given = row.cells.get("tags") or ""
    for tag in given if isinstance(given, list) else _BETWEEN_TAGS.split(str(given)):
        if not isinstance(tag, str):
            _refuse(row, "tags", "a tag must be text")
        if tag.strip():
            yield tag.strip()


def _refuse(row: Row, column: str, problem: str) -> NoReturn:
    raise DocumentError(
        f"{row.file}, {row.unit} {row.number}, column {column}: {problem}.",
        file=row.file,
        row=row.number,
        column=column,
    )
