"""JSON: rows of ``id, title, text`` are a document each; anything else becomes readable text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.plain import add_plain
from chatapp.knowledge.loading.tables import markdown_table
from chatapp.knowledge.loading.text_bytes import decode
from chatapp.knowledge_records import LoadedDocument

_DEEPEST = 50
_LEVELS = 6
_FEWEST_ROWS = 2


def load_json(path: Path, name: str, progress: Progress) -> Iterator[LoadedDocument]:
    """Read a JSON file.

    Raises:
        DocumentError: no JSON, and where it goes wrong; a row without what the others have.
    """
    try:
        value = json.loads(decode(path.read_bytes()))
    except json.JSONDecodeError as error:
        raise _not_json(name, error.lineno, error) from None
    except RecursionError:
        raise DocumentError(f"{name} is nested too deeply to be read.", file=name) from None
    if isinstance(value, list) and value and _is_row(value[0]):
        yield from _documents(name, enumerate(value, 1), "entry", progress)
        return
    draft = Draft(name)
    _add(draft, value, 1)
    progress(1, 1)
    yield draft.finish("json")


def load_json_lines(path: Path, name: str, progress: Progress) -> Iterator[LoadedDocument]:
    """Read a file with a JSON value on each line, one line after the other.

    Raises:
        DocumentError: naming the line that cannot be read.
    """
    values = _lines(path, name)
    first = next(values, None)
    if first is not None and _is_row(first[1]):
        yield from _documents(name, values, "line", progress, first)
        return
    draft = Draft(name)
    listed = [] if first is None else [first[1], *(value for _, value in values)]
    _add(draft, listed, 1)
    progress(len(listed), len(listed))
    yield draft.finish("json")


def _lines(path: Path, name: str) -> Iterator[tuple[int, object]]:
    """Values with their line numbers. Files in another encoding than UTF-8 are read as a whole."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if text:
                    yield number, json.loads(text)
            except UnicodeDecodeError:
                raise DocumentError(
                    f"{name}, line {number}, is not UTF-8. Save the file in that encoding.",
                    file=name,
                    line=number,
                ) from None
            except json.JSONDecodeError as error:
                raise _not_json(name, number, error) from None
            except RecursionError:
                raise DocumentError(
                    f"{name}, line {number}, is nested too deeply.", file=name, line=number
                ) from None


def _is_row(value: object) -> bool:
    return isinstance(value, dict) and "text" in value and "id" in value


def _documents(
    name: str,
    values: Iterable[tuple[int, object]],
    unit: str,
    progress: Progress,
    first: tuple[int, object] | None = None,
) -> Iterator[LoadedDocument]:
    seen: dict[str, int] = {}
    rows = values if first is None else _chained(first, values)
    for done, (number, value) in enumerate(rows, 1):
        where = f"{name}, {unit} {number},"
        row_id, document = _row(where, value)
        if row_id in seen:
            raise DocumentError(
                f"{where} has the id {row_id!r} that {unit} {seen[row_id]} has already; give "
                "each row its own.",
                file=name,
            )
        seen[row_id] = number
        progress(done, 0)
        yield document


def _chained(
    first: tuple[int, object], values: Iterable[tuple[int, object]]
) -> Iterator[tuple[int, object]]:
    yield first
    yield from values


def _row(where: str, value: object) -> tuple[str, LoadedDocument]:
    if not isinstance(value, dict):
        raise DocumentError(f"{where} is not an object with id, title and text.")
    row_id, text, title = value.get("id"), value.get("text"), value.get("title")
    if isinstance(row_id, bool) or not isinstance(row_id, str | int) or not str(row_id).strip():
        raise DocumentError(f"{where} has no id; give it a text or a number that names the row.")
    if not isinstance(text, str) or not text.strip():
        raise DocumentError(f"{where} has no text; fill in its field text or remove the row.")
    draft = Draft(str(row_id).strip())
    draft.title = title if isinstance(title, str) else ""
    add_plain(text, draft)
    tags = value.get("tags")
    listed = tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
    return draft.name, draft.finish("row", listed)


def _add(draft: Draft, value: object, level: int) -> None:
    """Keys with much below them are headings, others stand before their values."""
    if level > _DEEPEST:
        return
    if isinstance(value, dict):
        _add_object(draft, value, level)
    elif isinstance(value, list):
        _add_list(draft, value, level)
    else:
        add_plain(_shown(value), draft)


def _add_object(draft: Draft, value: dict[str, object], level: int) -> None:
    short = [f"{key}: {_shown(item)}" for key, item in value.items() if _is_scalar(item)]
    if short:
        draft.paragraph("\n".join(short))
    for key, item in value.items():
        if isinstance(item, list) and item and all(map(_is_scalar, item)):
            draft.block("\n".join([f"{key}:", *(f"- {_shown(one)}" for one in item)]))
        elif not _is_scalar(item) and item:
            draft.heading(min(level, _LEVELS), str(key))
            _add(draft, item, level + 1)


def _add_list(draft: Draft, values: list[object], level: int) -> None:
    if all(map(_is_scalar, values)):
        draft.block("\n".join(f"- {_shown(value)}" for value in values))
    elif len(values) >= _FEWEST_ROWS and _is_table(values):
        rows = [value for value in values if isinstance(value, dict)]
        keys = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[_shown(row.get(key, "")) for key in keys] for row in rows]
        draft.block(markdown_table([[str(key) for key in keys], *cells]))
    else:
        for value in values:
            _add(draft, value, level + 1)


def _is_table(values: list[object]) -> bool:
    """Objects of scalars with much the same keys."""
    rows = [value for value in values if isinstance(value, dict)]
    if len(rows) < len(values) or not all(_is_scalar(v) for row in rows for v in row.values()):
        return False
    keys = {key for row in rows for key in row}
    return sum(len(row) for row in rows) > len(keys) * len(rows) / 2


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list)


def _shown(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _not_json(name: str, line: int, error: json.JSONDecodeError) -> DocumentError:
    return DocumentError(
        f"{name}, line {line}, column {error.colno}, is not JSON: {error.msg}.",
        file=name,
        line=line,
        column=error.colno,
    )
