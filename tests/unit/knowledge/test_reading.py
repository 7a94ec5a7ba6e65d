"""The reading child: it reads, is kept, can be ended, and its death is told in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chatapp.errors import DocumentError
from chatapp.knowledge.reading import Reader
from chatapp.knowledge.reading_process import ReadingProcess
from tests.documents import Text, write_pdf

SLOW = """
import json, os, sys, time
print(json.dumps({"begun": True}), flush=True)
request = json.loads(sys.stdin.readline())
if request["name"] == "hungry":
    kept = bytearray(os.urandom(1)) * 400_000_000
if request["name"] == "crash":
    os.abort()
time.sleep(60)
"""


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def nothing(_done: int, _total: int) -> None:
    pass


def rows(folder: Path, count: int) -> Path:
    path = folder / "rows.jsonl"
    lines = (json.dumps({"id": f"r{at}", "text": f"Text number {at}."}) for at in range(count))
    path.write_text("\n".join(lines))
    return path


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def test_one_child_reads_one_file_after_the_other(reader: Reader, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    pdf = write_pdf(tmp_path / "a.pdf", [[Text(72, 700, f"This is page {at}")] for at in range(3)])
    (document,) = reader.read(pdf, "handbook.pdf", lambda done, total: heard.append((done, total)))
    assert (document.name, document.kind, len(document.page_starts)) == ("handbook.pdf", "pdf", 3)
    assert heard[-1] == (3, 3)
    first = children()
    assert len(list(reader.read(rows(tmp_path, 500), "rows.jsonl", nothing))) == 500
    assert children() == first


def test_a_bad_file_is_told_and_the_child_goes_on(reader: Reader, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"%PDF-1.4 torn")
    with pytest.raises(DocumentError, match=r"bad.pdf is damaged") as raised:
        list(reader.read(bad, "bad.pdf", nothing))
    assert raised.value.facts == {"file": "bad.pdf"}
    first = children()
    assert len(list(reader.read(rows(tmp_path, 1), "rows.jsonl", nothing))) == 1
    assert children() == first


def test_a_missing_file_is_told(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone.txt could not be opened: No such file"):
        list(reader.read(tmp_path / "gone", "gone.txt", nothing))


def test_good_rows_before_a_bad_one_are_handed_on(reader: Reader, tmp_path: Path) -> None:
    path = rows(tmp_path, 3)
    path.write_text(path.read_text() + "\n{")
    seen = []
    with pytest.raises(DocumentError, match="line 4, column 2, is not JSON"):
        seen.extend(document.name for document in reader.read(path, "rows.jsonl", nothing))
    assert seen == ["r0", "r1", "r2"] or seen == []


def test_closing_the_iterator_ends_the_child(reader: Reader, tmp_path: Path) -> None:
    before = children()
    reading = reader.read(rows(tmp_path, 50_000), "rows.jsonl", nothing)
    next(reading)
    assert children() - before
    reading.close()  # type: ignore[attr-defined]
    assert children() == before


def test_what_progress_raises_ends_the_reading(reader: Reader, tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    before = children()
    with pytest.raises(KeyboardInterrupt):
        list(reader.read(rows(tmp_path, 5_000), "rows.jsonl", stop))
    assert children() == before


def test_a_child_that_has_gone_is_replaced(reader: Reader, tmp_path: Path) -> None:
    before = children()
    list(reader.read(rows(tmp_path, 1), "rows.jsonl", nothing))
    (child,) = children() - before
    psutil.Process(child).kill()
    psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [], 5)
    assert len(list(reader.read(rows(tmp_path, 2), "rows.jsonl", nothing))) == 2


def test_closing_the_reader_fails_what_is_under_way(tmp_path: Path) -> None:
    reader = Reader()
    reading = reader.read(rows(tmp_path, 50_000), "rows.jsonl", nothing)
    next(reading)
    reader.close()
    with pytest.raises(DocumentError, match=r"rows.jsonl was not read to its end"):
        list(reading)


@pytest.mark.parametrize(
    ("name", "limits", "sentence"),
    [
        ("hungry", {"memory_mb": 200}, "hungry needs more than 200 MB of memory"),
        ("slow", {"silence": 0.5}, "slow was given up after 0 seconds|slow was given up after 1"),
        ("crash", {}, "crash ended the program that read it; it may be damaged"),
    ],
)
def test_a_hostile_file_ends_only_the_child(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    limits: dict[str, int],
    sentence: str,
) -> None:
    spawn = subprocess.Popen

    def other(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return spawn([sys.executable, "-c", SLOW], **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr("chatapp.knowledge.reading_process.subprocess.Popen", other)
    before = children()
    with pytest.raises(DocumentError, match=sentence):
        list(Reader(**limits).read(tmp_path, name, nothing))
    assert children() == before


def test_the_child_gets_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATAPP_API_KEYS", "secret")
    child = ReadingProcess()
    try:
        assert "CHATAPP_API_KEYS" not in psutil.Process(child.pid).environ()
    finally:
        child.close()


def test_the_child_starts_light() -> None:
    heavy = "{'pypdfium2', 'docx', 'pptx', 'openpyxl', 'bs4', 'rapidocr', 'cv2', 'torch'}"
    code = f"import sys, chatapp.knowledge.reading_child; sys.exit(len({heavy} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
