"""What a file of labelled data is: its content decides, its name only between kinds of text."""

from __future__ import annotations

import codecs
import csv
import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Literal

from chatapp.errors import DatasetError
from chatapp.knowledge.loading.text_bytes import decode, is_binary
from chatapp.training.data.limits import LARGEST_FILE, refusal

Kind = Literal["csv", "json", "jsonl", "xlsx", "parquet", "text"]

KNOWN = "CSV, TSV, JSON, JSONL, XLSX and Parquet files and plain text can be learned from"
DELIMITERS = ",;\t|"

_HEAD = 64 * 1024
_PICKLE_PROTOCOLS = range(2, 6)
_BINARY = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a sound, an image or a film"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1f\x8b", "a GZIP archive"),
    (b"BZh", "a BZIP2 archive"),
    (b"\xfd7zXZ", "an XZ archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"GGUF", "a model's weights"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"%!PS", "a PostScript file"),
    (b"SQLite format 3", "a database"),
)
_PARTS = {
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
    "xl/workbook.bin": "a binary Excel workbook (XLSB)",
    "content.xml": "an OpenDocument file",
    "META-INF/MANIFEST.MF": "a Java program",
}
_SAMPLE_LINES = 50
_CONSISTENT = 0.9
"""Share of the lines that are cut into equally many cells, from which on they are a table."""


def kind_of(path: Path, name: str) -> Kind:
    """What the file is.

    Raises:
        DatasetError: it is empty, too large or nothing that can be learned from; and what it is.
    """
    if path.exists() and not path.is_file():
        raise refusal(name, " is not a file. Name the file in it that holds the examples.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        size = path.stat().st_size
    except OSError as error:
        raise refusal(name, f" cannot be opened: {error.strerror}.") from None
    if not head.strip(b" \t\r\n\xef\xbb\xbf\xff\xfe\0"):
        hollow = "is empty" if size <= _HEAD else "begins with nothing but blanks or zeros"
        raise refusal(name, f" {hollow}. Upload a file with examples in it.")
    binary = _binary_kind(path, head, name)
    if size > LARGEST_FILE:
        raise refusal(
            name,
            f" is {size / 1024**2:,.0f} MB large, but at most {LARGEST_FILE // 1024**2} MB can be "
            "learned from at once. Split it, or take a sample of its rows.",
        )
    return binary or _text_kind(head, PurePosixPath(name).suffix.lower().removeprefix("."), name)


def _binary_kind(path: Path, head: bytes, name: str) -> Kind | None:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(path, name)
    for magic, what in _BINARY:
        if head.startswith(magic):
            raise _not_data(name, what)
    if head[:1] == b"\x80" and head[1] in _PICKLE_PROTOCOLS:
        raise _pickle(name)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise refusal(
            name,
            " is an old binary Excel or Office file, or one that is protected by a password. Save "
            "it as XLSX without a password.",
        )
    if is_binary(head):
        raise _not_data(name, "a binary file of an unknown kind")
    return None


def _zipped(path: Path, name: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise refusal(
            name, " is a damaged or incomplete ZIP or Excel file. Save or export it again."
        ) from None
    if "xl/workbook.xml" in parts:
        return "xlsx"
    if any(part.endswith("data.pkl") for part in parts):
        raise _pickle(name)
    for part, what in _PARTS.items():
        if part in parts:
            raise _not_data(name, what)
    raise _not_data(name, "a ZIP archive")


def _text_kind(head: bytes, ending: str, name: str) -> Kind:
    start = _decoded(head).lstrip("\ufeff \t\r\n")
    if start[:100].lower().startswith(("<!doctype html", "<html")):
        raise refusal(
            name,
            " is a web page, perhaps the login or error page of the site it was downloaded from. "
            "Download the file itself.",
        )
    if start.startswith("<?xml"):
        raise _not_data(name, "an XML file")
    if start.startswith("version https://git-lfs"):
        raise refusal(
            name, " is only a pointer to a file in Git LFS. Fetch the file itself (git lfs pull)."
        )
    if start.startswith(("(dp0", "(lp0", "cos\nsystem", "c__builtin__", "ccopy_reg")):
        raise _pickle(name)
    if ending in ("csv", "tsv", "tab") and start[0] not in "{[":
        return "csv"
    if start[0] in "{[" and (json_kind := _json_kind(start, ending)):
        return json_kind
    if ending in ("json", "jsonl", "ndjson"):
        return "json" if ending == "json" else "jsonl"
    if ending in ("csv", "tsv", "tab") or _is_table(start):
        return "csv"
    return "text"


def _decoded(head: bytes) -> str:
    """The text of a beginning that may end within a character."""
    if b"\0" not in head:
        try:
            return codecs.getincrementaldecoder("utf-8")().decode(head)
        except UnicodeDecodeError:
            pass
    return decode(head)


def _json_kind(start: str, ending: str) -> Kind | None:
    """JSONL is told from JSON by its first line, which is whole; None for what only begins so."""
    first, end, rest = start.partition("\n")
    if end and rest.lstrip()[:1] in ("{", "["):
        try:
            json.loads(first)
        except (ValueError, RecursionError):
            pass
        else:
            return "jsonl"
    if ending in ("jsonl", "ndjson"):
        return "jsonl"
    follows = start[1:].lstrip()[:1]
    is_json = follows in ('"', "}") if start[0] == "{" else follows in '{["]-0123456789tfn'
    return "json" if ending == "json" or is_json else None


def _is_table(start: str) -> bool:
    """Rows copied from a spreadsheet, or separated values without the ending that says so."""
    lines = start.splitlines()[:_SAMPLE_LINES]
    if len(lines) < 2:
        return False
    for delimiter in "\t,;|":
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        usual = max(set(counts), key=counts.count, default=1)
        if usual > 1 and counts.count(usual) >= _CONSISTENT * len(counts):
            return True
    return False


def _pickle(name: str) -> DatasetError:
    return refusal(
        name,
        " is a Python pickle. Opening one runs whatever program is hidden in it, so it was not "
        "opened. Save the data as CSV, JSONL or Parquet.",
    )


def _not_data(name: str, what: str) -> DatasetError:
    inside = " Unpack it and upload the file in it." if what.endswith("archive") else ""
    return refusal(name, f" is {what}, which holds no rows to read.{inside} {KNOWN}.")
