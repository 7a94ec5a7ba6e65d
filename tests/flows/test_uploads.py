"""Uploads: files, folders and archives, of which none may fill the disk or the memory."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from chatapp.errors import DocumentError
from chatapp.flows import uploads as module
from chatapp.flows.originals import Originals, hash_of
from chatapp.flows.uploads import Upload, files_of

MB = 1024**2


def unpacked(upload: Upload, max_bytes: int = 100 * MB) -> dict[str, bytes]:
    """What comes out, by name."""
    found = {}
    for file in files_of(upload, max_bytes):
        with file.open() as stream:
            found[file.name] = b"".join(iter(lambda: stream.read(MB), b""))
    return found


def archive(folder: Path, **files: bytes) -> Upload:
    path = folder / "some.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return Upload("some.zip", path)


def test_a_single_file_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"one")
    assert unpacked(Upload("My guide.txt", tmp_path / "x")) == {"My guide.txt": b"one"}
    assert unpacked(Upload("..\\up/..//a\n.txt", tmp_path / "x")) == {"up/a .txt": b"one"}


def test_files_in_a_folder_are_named_by_their_path(tmp_path: Path) -> None:
    for name in ("b.txt", "deep/er/a.txt", ".hidden", ".git/config", "__MACOSX/b.txt"):
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_bytes(name.encode())
    assert unpacked(Upload("docs", tmp_path / "docs")) == {
        "b.txt": b"b.txt",
        "deep/er/a.txt": b"deep/er/a.txt",
    }


def test_files_in_an_archive_are_named_by_their_path(tmp_path: Path) -> None:
    upload = archive(tmp_path, **{"a/b.txt": b"one", "../../etc/x": b"two", "a/.DS_Store": b""})
    assert unpacked(upload) == {"a/b.txt": b"one", "etc/x": b"two"}


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("退货说明.txt".encode("gb18030"), "退货说明.txt"),
        ("退货说明.txt".encode(), "退货说明.txt"),
        ("Rückgabe é.txt".encode("cp437"), "Rückgabe é.txt"),
        (b"plain.txt", "plain.txt"),
    ],
)
def test_names_are_read_whatever_wrote_them(tmp_path: Path, raw: bytes, name: str) -> None:
    upload = archive(tmp_path, **{"x" * len(raw): b"one"})
    content = upload.path.read_bytes().replace(b"x" * len(raw), raw)
    upload.path.write_bytes(content)
    assert unpacked(upload) == {name: b"one"}


def test_an_empty_folder_and_an_empty_archive_are_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    with pytest.raises(DocumentError, match="The folder docs holds no files"):
        unpacked(Upload("docs", tmp_path / "docs"))
    with pytest.raises(DocumentError, match=r"The archive some\.zip holds no files"):
        unpacked(archive(tmp_path))


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    upload = archive(tmp_path, **{"bomb.txt": bytes(30 * MB)})
    with pytest.raises(DocumentError, match=r"bomb\.txt in some\.zip unpacks to more than 200 tim"):
        unpacked(upload)


def test_an_archive_of_too_much_is_refused(tmp_path: Path) -> None:
    upload = archive(tmp_path, a=bytes(MB), b=bytes(MB), c=bytes(MB))
    with pytest.raises(DocumentError, match=r"some\.zip unpacks to more than 2 MB"):
        unpacked(upload, 2 * MB)


def test_what_follows_in_an_archive_of_too_much_is_not_tried(tmp_path: Path) -> None:
    files = files_of(archive(tmp_path, a=bytes(2 * MB), b=b"", c=b""), MB)
    with next(files).open() as first, pytest.raises(DocumentError, match="more than 1 MB"):
        first.read(2 * MB)
    with pytest.raises(DocumentError, match="more than 1 MB"):
        next(files)


def test_an_archive_of_too_many_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    with pytest.raises(DocumentError, match="holds more than 2 files"):
        unpacked(archive(tmp_path, a=b"", b=b"", c=b""))


@pytest.mark.parametrize("lie", ["directory", "zip64"])
def test_an_endless_list_of_files_is_not_read(tmp_path: Path, lie: str) -> None:
    upload = archive(tmp_path, a=b"one")
    content = bytearray(upload.path.read_bytes())
    end = content.rfind(b"PK\x05\x06")
    if lie == "directory":
        content[end + 12 : end + 16] = struct.pack("<I", 2**31)
    else:
        content[end:end] = b"PK\x06\x07" + bytes(16)
    upload.path.write_bytes(content)
    with pytest.raises(DocumentError, match="holds more than 10,000 files"):
        unpacked(upload)


def test_damaged_archives_are_told(tmp_path: Path) -> None:
    good = archive(tmp_path, **{"a.txt": b"one " * 1000}).path.read_bytes()
    flipped = bytearray(good)
    flipped[45] ^= 0xFF
    for content in (b"", b"no archive", good[:-30], bytes(flipped), b"PK\x05\x06" + bytes(17)):
        (tmp_path / "bad.zip").write_bytes(content)
        with pytest.raises(DocumentError, match=r"bad\.zip is damaged or is no ZIP archive"):
            unpacked(Upload("bad.zip", tmp_path / "bad.zip"))


def test_archives_in_archives_and_encrypted_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="an archive inside an archive"):
        unpacked(archive(tmp_path, **{"inner.ZIP": b"x"}))
    upload = archive(tmp_path, **{"a.txt": b"one"})
    content = bytearray(upload.path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(header) + flags] |= 1
    upload.path.write_bytes(content)
    with pytest.raises(DocumentError, match=r"a\.txt in some\.zip is encrypted"):
        unpacked(upload)


def test_an_original_is_kept_once_under_its_hash(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "documents", 100)
    first, size = originals.keep("Guide.PDF", io.BytesIO(b"one"))
    again, _ = originals.keep("other.pdf", io.BytesIO(b"one"))
    plain, _ = originals.keep("no ending.a b", io.BytesIO(b"one"))
    assert (first, size) == (again, 3) == (hash_of(first) + ".pdf", 3)
    assert plain == hash_of(first)
    assert originals.path(first).read_bytes() == b"one"
    assert sorted(path.name for path in (tmp_path / "documents").iterdir()) == sorted(
        [first, plain]
    )


def test_a_refused_original_leaves_nothing_behind(tmp_path: Path) -> None:
    originals = Originals(tmp_path, 2)
    for content in (b"", b"one"):
        with pytest.raises(DocumentError, match=r"guide is (empty|larger)"):
            originals.keep("guide", io.BytesIO(content))
    assert list(tmp_path.iterdir()) == []
