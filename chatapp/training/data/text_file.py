"""Text files a line at a time, in whatever encoding, never more of them in memory than a line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from chatapp.knowledge.loading.text_bytes import encoding_of
from chatapp.training.data.limits import LONGEST_ROW, refusal
from chatapp.training.data.places import has, rows

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHUNK = 1024**2
_AROUND = 32 * 1024
_PROOF = 20
"""So many characters beyond ASCII that are right in UTF-8 are no accident."""


def detect_encoding(path: Path) -> str:
    """Which encoding a text file is in.

    A file that is UTF-8 but for a few bytes, such as one put together from two, is UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond = done = 0
    with path.open("rb") as file:
        head = file.read(_AROUND)
        if head.startswith(_MARKS) or b"\0" in head:
            return encoding_of(head)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode("utf-8")
                if beyond + _beyond_ascii(good) >= _PROOF:
                    return "utf-8"
                at = max(0, done + error.start - _AROUND)
                file.seek(at)
                if at:  # half a character would mislead
                    file.readline(_AROUND)
                return encoding_of(file.read(2 * _AROUND))
            beyond += _beyond_ascii(text)
            done += len(chunk)
    return "utf-8"


def _beyond_ascii(text: str) -> int:
    return 0 if text.isascii() else len(text) - len(text.encode("ascii", "ignore"))


def lines(path: Path, name: str, encoding: str) -> Iterator[str]:
    """The lines with their ends, as ``csv`` wants them.

    Raises:
        DatasetError: a line that is longer than any row can be, and its number.
    """
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        number = 0
        while line := file.readline(LONGEST_ROW + 1):
            number += 1
            if len(line) > LONGEST_ROW:
                raise refusal(
                    name,
                    f", line {number}, is longer than {LONGEST_ROW // 1024**2} million "
                    "characters, so this is no table of examples. Check that the file is what "
                    "you meant, and that its lines end.",
                    number,
                )
            yield line


def chunks(path: Path, encoding: str) -> Iterator[bytes]:
    """The whole text as UTF-8, in pieces of about 64 KB."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        while text := file.read(64 * 1024):
            yield text.encode("utf-8", "replace")


def broken_text(count: int) -> str:
    """What is said of characters that could not be decoded."""
    return (
        f"{rows(count)} {has(count)} characters that got lost (shown as \ufffd), because the file "
        "is not in one encoding throughout. Save it as UTF-8 and upload it again, or correct them."
    )
