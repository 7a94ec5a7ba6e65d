"""A JSON file as a stream of events, and where it goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chatapp.errors import DatasetError
from chatapp.training.data.limits import DEEPEST, LONGEST_ROW, refusal, shortened
from chatapp.training.data.text_file import chunks

Event = tuple[str, object]
"""As ``ijson.basic_parse`` gives them: its name and its value."""

STARTS = ("start_map", "start_array")
ENDS = ("end_map", "end_array")

_SMALL = 4 * 1024**2
"""Bytes of a file that is parsed once more to say exactly where it goes wrong."""


def events_of(path: Path, name: str, encoding: str) -> Iterator[Event]:
    """What the parser meets, one after the other.

    Raises:
        DatasetError: no JSON; a value that is too long, or nested too deeply.
    """
    import ijson

    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, use_float=True)
    line, quiet, depth = 1, 0, 0
    try:
        for chunk in _closed(chunks(path, encoding)):
            with suppress(StopIteration):  # said when all was parsed
                parser.send(chunk)
            quiet = 0 if events else quiet + len(chunk)
            if quiet > LONGEST_ROW:
                raise refusal(
                    name,
                    f", about line {line}: a single value is longer than "
                    f"{LONGEST_ROW // 1024**2} million characters. Check that the file is what "
                    "you meant.",
                    line,
                )
            for event, value in events:
                depth += (event in STARTS) - (event in ENDS)
                if depth > DEEPEST:
                    raise refusal(
                        name,
                        f", about line {line}: lists and objects are nested more than {DEEPEST} "
                        "deep, which no example needs. Simplify it.",
                        line,
                    )
                yield event, value
            del events[:]
            line += chunk.count(b"\n")
    except ijson.JSONError as error:
        raise _not_json(path, name, encoding, line, str(error)) from None


def _closed(source: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without a mark at the beginning, and an empty one that says that it was all."""
    first = next(source, b"")
    yield first.removeprefix("\ufeff".encode())
    yield from source
    yield b""


def _not_json(path: Path, name: str, encoding: str, line: int, said: str) -> DatasetError:
    """Where it goes wrong: exactly in a small file, else within some thousand characters."""
    why = shortened(said.split("\n")[0].split(" error: ")[-1].rstrip("."), 80)
    where = f"about line {line}"
    if path.stat().st_size <= _SMALL:
        try:
            json.loads(path.read_text(encoding, errors="replace").lstrip("\ufeff"))
        except json.JSONDecodeError as error:
            line, why = error.lineno, error.msg
            where = f"line {line}, column {error.colno}"
        except (RecursionError, ValueError):
            pass
    if "premature EOF" in why:
        why = "it ends in the middle"
    return refusal(
        name,
        f", {where}, is not JSON: {why}. Correct it there; JSON wants double quotes, and commas "
        "between values but not after the last.",
        line,
    )
