"""What a file is: its content decides, its name only between kinds of text."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path, PurePosixPath

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.text_bytes import decode, is_binary

_HEAD = 64 * 1024
_TEXT_KINDS = {
    "md": "markdown",
    "markdown": "markdown",
    "html": "html",
    "htm": "html",
    "xhtml": "html",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "eml": "email",
}
_BINARY_ENDINGS = {"pdf": "a PDF", "docx": "a Word", "pptx": "a PowerPoint", "xlsx": "an Excel"}
_PARTS = {
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
}
_UNREADABLE = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1f\x8b", "a GZIP archive"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"%!PS", "a PostScript file"),
    (b"SQLite format 3", "a database"),
)
_KNOWN = "PDF, DOCX, PPTX, XLSX, CSV, HTML, Markdown, TXT, JSON, JSONL and EML files can be read"
_MAIL = re.compile(rb"\A(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}", re.MULTILINE)
_MAIL_HEADERS = re.compile(rb"^(from|to|subject|received|mime-version):", re.I | re.M)


def kind_of(path: Path, name: str) -> str:
    """``pdf``, ``docx``, ``pptx``, ``xlsx``, ``csv``, ``html``, ``markdown``, ``text``, ``json``,
    ``jsonl`` or ``email``.

    Raises:
        DocumentError: nothing that can be read, and what it is instead.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise DocumentError(f"{name} is empty.", file=name)
    ending = PurePosixPath(name).suffix.lower().removeprefix(".")
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path, name)
    _refuse_binary(path, head, name)
    if ending in _BINARY_ENDINGS:
        raise DocumentError(
            f"{name} is not {_BINARY_ENDINGS[ending]} file, although its name ends in .{ending}: "
            "it holds plain text, or its beginning is lost. Export it again, or give it the "
            "ending of what it is.",
            file=name,
        )
    return _text_kind(head, ending)


def _text_kind(head: bytes, ending: str) -> str:
    start = decode(head[:4096]).lstrip().lower()
    if start.startswith(("<!doctype html", "<html")) and ending != "eml":
        return "html"
    if ending in _TEXT_KINDS:
        return _TEXT_KINDS[ending]
    if _MAIL.match(head.replace(b"\r\n", b"\n")) and len(_MAIL_HEADERS.findall(head)) >= 3:
        return "email"
    return "text"


def _zipped(path: Path, name: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise damaged(name) from None
    for part, kind in _PARTS.items():
        if part in parts:
            return kind
    if "xl/workbook.bin" in parts:
        raise _refusal(name, "a binary Excel workbook (XLSB)", "Save it as XLSX.")
    if "content.xml" in parts and "mimetype" in parts:
        raise _refusal(name, "an OpenDocument file", "Save it as DOCX, PPTX, XLSX or PDF.")
    raise _refusal(name, "an archive", "Upload it as a ZIP, or upload what is in it.")


def _refuse_binary(path: Path, head: bytes, name: str) -> None:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            raise protected(name)
        raise _refusal(
            name, "an old binary Office file (DOC, XLS, PPT)", "Save it as DOCX, XLSX, PPTX or PDF."
        )
    for magic, what in _UNREADABLE:
        if head.startswith(magic):
            raise _refusal(name, what, f"{_KNOWN}.")
    if is_binary(head):
        raise _refusal(name, "of a kind that is not known", f"{_KNOWN}.")


def damaged(name: str) -> DocumentError:
    """The error for a file whose structure is broken."""
    return DocumentError(
        f"{name} is damaged or incomplete and cannot be read. Open it in the program it comes "
        "from, save it again and upload that.",
        file=name,
    )


def protected(name: str) -> DocumentError:
    """The error for a file that only opens with a password."""
    return DocumentError(
        f"{name} is protected by a password. Save it without the password and upload that.",
        file=name,
    )


def _refusal(name: str, what: str, advice: str) -> DocumentError:
    return DocumentError(f"{name} is {what}, which cannot be read. {advice}", file=name)
