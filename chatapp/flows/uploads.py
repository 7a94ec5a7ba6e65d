"""What people upload: single files, folders and ZIP archives, as one stream of files."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from chatapp.errors import DocumentError

MOST_FILES = 10_000
"""Files in one archive."""

_LONGEST_DIRECTORY = 4 * 1024**2
"""Bytes of an archive's list of files. It is read as a whole, so it must not be endless."""

_HIGHEST_RATIO = 200
"""Unpacked to packed bytes. Deflate reaches 1,032; texts stay below 20, tables seldom pass 100."""

_RATIO_COUNTS_FROM = 10 * 1024**2
"""Unpacked bytes; small files may be as repetitive as they like."""

_NOT_MEANT = {"__MACOSX", "Thumbs.db", "desktop.ini"}
# Two bytes from 0xA1 up for each Chinese character (GB 2312), beside ASCII.
_GB2312 = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*")


class Readable(Protocol):
    """Bytes, from the first to the last."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` of them; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, a folder or a ZIP archive at ``path``.

    Attributes:
        name: as the uploader calls it. A single file's document is named so; files in a folder
            or archive are named by their path inside it.
    """

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file. What ``open`` gives may raise DocumentError when it is opened or read."""

    name: str
    open: Callable[[], AbstractContextManager[Readable]]


def files_of(upload: Upload, max_bytes: int) -> Iterator[UploadedFile]:
    """The files of an upload, without hidden ones.

    Args:
        upload: what to look into.
        max_bytes: an archive may hold as many unpacked bytes.

    Raises:
        DocumentError: an archive that is damaged, too large or a bomb, an empty folder.
    """
    if upload.path.is_dir():
        yield from _in_folder(upload)
    elif upload.name.lower().endswith(".zip"):
        yield from _in_archive(upload, max_bytes)
    else:
        yield UploadedFile(_clean_name(upload.name), partial(_opened, upload.path, upload.name))


def _in_folder(upload: Upload) -> Iterator[UploadedFile]:
    found = False
    for path in sorted(upload.path.rglob("*")):
        name = path.relative_to(upload.path).as_posix()
        if path.is_file() and _is_meant(name):
            found = True
            yield UploadedFile(_clean_name(name), partial(_opened, path, name))
    if not found:
        raise DocumentError(f"The folder {upload.name} holds no files.")


def _in_archive(upload: Upload, max_bytes: int) -> Iterator[UploadedFile]:
    budget = _Budget(upload.name, max_bytes)
    with _opened(upload.path, upload.name) as file:
        _check_directory(file, upload.name)
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise _damaged(upload.name) from None
        entries = [(_name_of(entry), entry) for entry in archive.infolist() if not entry.is_dir()]
        meant = [(name, entry) for name, entry in entries if _is_meant(name)]
        if not meant:
            raise DocumentError(f"The archive {upload.name} holds no files.")
        if len(meant) > MOST_FILES:
            raise _too_many(upload.name)
        for name, entry in meant:
            budget.spend(0)
            unpacked = partial(_Unpacked, archive, entry, upload.name, budget)
            yield UploadedFile(_clean_name(name), unpacked)


class _Budget:
    """Counts what an archive unpacks to, and refuses more than it may."""

    def __init__(self, archive: str, most: int) -> None:
        self._archive = archive
        self._most = most
        self._left = most

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise DocumentError(
                f"The archive {self._archive} unpacks to more than {self._most // 1024**2:,} MB. "
                "Upload its files in several archives."
            )


class _Unpacked:
    """A file in an archive; counts what really comes out, whatever the archive claims."""

    def __init__(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, budget: _Budget
    ) -> None:
        self._archive = archive
        self._entry = entry
        self._name = name
        self._budget = budget
        self._count = 0

    def __enter__(self) -> _Unpacked:
        if self._entry.filename.lower().endswith(".zip"):
            raise DocumentError(
                f"{self._shown} is an archive inside an archive. Upload it by itself."
            )
        if self._entry.flag_bits & 1:
            raise DocumentError(f"{self._shown} is encrypted. Pack it without a password.")
        try:
            self._stream: IO[bytes] = self._archive.open(self._entry)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
            raise _damaged(self._name) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int, /) -> bytes:
        """The next bytes, as long as they are not suspiciously many."""
        try:
            data = self._stream.read(size)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error):
            raise _damaged(self._name) from None
        self._count += len(data)
        packed = max(1, self._entry.compress_size)
        if self._count > _RATIO_COUNTS_FROM and self._count / packed > _HIGHEST_RATIO:
            raise DocumentError(
                f"{self._shown} unpacks to more than {_HIGHEST_RATIO} times its size, as only "
                "harmful archives do. Upload it unpacked if it is meant."
            )
        self._budget.spend(len(data))
        return data

    @property
    def _shown(self) -> str:
        return f"{_name_of(self._entry)} in {self._name}"


def _opened(path: Path, name: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise DocumentError(f"{name} cannot be opened: {error.strerror}.") from error


def _check_directory(file: IO[bytes], name: str) -> None:
    """Refuse a list of files that would fill the memory, before it is read.

    The end record (APPNOTE.TXT 4.3.16) gives its size. Where a ZIP64 one stands in front of it,
    which begins beyond 4 GB or 65,535 files, the archive is too large in any case.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise _damaged(name)
    directory: int = struct.unpack_from("<I", tail, end + 12)[0]
    if directory > _LONGEST_DIRECTORY or tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise _too_many(name)


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The file's name. Programs that do not write UTF-8 seldom say what they write instead."""
    if entry.flag_bits & 0x800:
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030" if _GB2312.fullmatch(raw) else "cp437"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _is_meant(name: str) -> bool:
    """No hidden file, and nothing that only an operating system reads."""
    parts = PurePosixPath(name).parts
    return not any(part in _NOT_MEANT or (part.startswith(".") and part != "..") for part in parts)


def _clean_name(name: str) -> str:
    """A path that leads nowhere but down, in one line."""
    parts = PurePosixPath(" ".join(name.replace("\\", "/").split())).parts
    return "/".join(part for part in parts if part not in ("/", "..", ".")) or "document"


def _damaged(name: str) -> DocumentError:
    return DocumentError(f"The archive {name} is damaged or is no ZIP archive. Pack it anew.")


def _too_many(name: str) -> DocumentError:
    return DocumentError(
        f"The archive {name} holds more than {MOST_FILES:,} files. Upload them in several archives."
    )
