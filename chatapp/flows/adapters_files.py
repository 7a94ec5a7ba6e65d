"""The files of adapters: a folder each, which appears whole or not at all and never changes."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chatapp.errors import StorageError, TrainingError
from chatapp.training_records import Example

BASE_FILE = "base.json"
"""Which base an adapter belongs to: ``{"model": …, "hash": …}``, written by whoever trained it."""

_DRAFT = ".draft-"
_STALE = 3600
"""Seconds; a copy takes less."""


class AdapterFiles:
    """The folder in which every adapter has one, named after its id.

    Args:
        folder: made when the first adapter comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, id: str) -> Path:  # noqa: A002
        """Where the files of an adapter belong."""
        return self._folder / id

    def copy(self, id: str, source: Path) -> None:  # noqa: A002
        """Keep a copy of ``source``.

        Raises:
            TrainingError: there is nothing in it.
            StorageError: the disk refused.
        """
        if not source.is_dir() or not any(source.iterdir()):
            raise TrainingError(
                f"{source} holds no adapter, so there is nothing to keep. The run ended before it "
                "saved one."
            )
        with self.draft(id) as draft:
            shutil.copytree(source, draft, dirs_exist_ok=True)

    @contextmanager
    def draft(self, id: str) -> Iterator[Path]:  # noqa: A002
        """An empty folder that becomes the adapter's when the block ends without an error.

        Raises:
            StorageError: the disk refused.
        """
        draft = self._folder / f"{_DRAFT}{secrets.token_hex(6)}"
        try:
            draft.mkdir(parents=True)
            yield draft
            for path in draft.rglob("*"):
                _flush(path)
            draft.rename(self.place(id))
            _flush(self._folder)
        except OSError as error:
            raise StorageError(
                f"The adapter cannot be stored in {self._folder}: {error.strerror or error}. Free "
                "some space, or set CHATAPP_DATA to another folder."
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def remove(self, ids: Iterable[str]) -> None:
        """Remove the files of these adapters for good."""
        for one in ids:
            shutil.rmtree(self.place(one), ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed processes left half done."""
        for draft in self._folder.glob(f"{_DRAFT}*"):
            if draft.stat().st_mtime < time.time() - _STALE:
                shutil.rmtree(draft, ignore_errors=True)


def base_of(folder: Path) -> tuple[str, str]:
    """The name and the hash of the base that an adapter's folder belongs to; empty where unknown.

    PEFT's own file names the base alone, often by a path of the machine it was trained on.
    """
    noted = _json(folder / BASE_FILE)
    if isinstance(model := noted.get("model"), str):
        digest = noted.get("hash")
        return model, digest if isinstance(digest, str) else ""
    named = _json(folder / "adapter_config.json").get("base_model_name_or_path")
    return named if isinstance(named, str) else "", ""


def examples_hash(examples: Iterable[Example]) -> str:
    """SHA-256 in hex of what examples say, whatever their order and their files; empty of none."""
    digests = sorted(
        hashlib.sha256(
            json.dumps(
                [[turn.role, turn.content] for turn in one.messages] + [one.text, one.label],
                ensure_ascii=False,
            ).encode("utf-8", "replace")
        ).digest()
        for one in examples
    )
    return hashlib.sha256(b"".join(digests)).hexdigest() if digests else ""


def _json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _flush(path: Path) -> None:
    """Have the disk hold it before its folder gets its name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
