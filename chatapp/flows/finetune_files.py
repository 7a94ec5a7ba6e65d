"""The files of labelled data that were taken in: a folder each, with the file as it came."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from chatapp.errors import DatasetError, NotFound
from chatapp.flows.finetune_disk import kept_in
from chatapp.training import data
from chatapp.training.run import lines
from chatapp.training_records import Dataset, Example

DATASET = TypeAdapter(Dataset)
_EXAMPLE = TypeAdapter(Example)

_UNSAFE = re.compile(r"[^\w.-]+")


class DatasetFiles:
    """The files under ``datasets/``.

    Args:
        folder: the data folder's ``training``.
        corrections: what the team approved, for a file of its own.
    """

    def __init__(self, folder: Path, corrections: Callable[[], Sequence[Example]]) -> None:
        self._files = folder / "datasets"
        self._removed = folder / "datasets-removed"
        self._corrections = corrections

    def add_dataset(self, name: str, path: Path, *, again: bool = True) -> Dataset:
        """Take in a file under a name; the file is copied.

        Args:
            again: whether the same content under the same name becomes another dataset.

        Raises:
            DatasetError: it cannot be read, and where.
            StorageError: the disk refused.
        """
        name = Path(name).name or path.name
        if not again and (known := self._known(name, path)):
            return known
        return self._add(name, path)

    def add_text(self, name: str, text: str) -> Dataset:
        """Take in pasted rows.

        Raises:
            DatasetError: nothing in it can be read.
        """
        if not text.strip():
            raise DatasetError("Nothing was pasted. Copy some rows, and the header above them.")
        with self._pasted(text) as path:
            return self._add(name.strip() or "Pasted rows", path)

    def add_corrections(self) -> Dataset:
        """Take in the corrections that the team has approved.

        Raises:
            DatasetError: there are none yet.
        """
        examples = self._corrections()
        if not examples:
            raise DatasetError(
                "There are no approved corrections yet. Approve some on the Review page first."
            )
        rows = b"".join(
            _EXAMPLE.dump_json(one, include={"messages", "origin"}) + b"\n" for one in examples
        )
        with self._pasted(rows.decode()) as path:
            return self._add(f"Corrections {datetime.now(UTC):%Y-%m-%d %H-%M}.jsonl", path)

    def datasets(self) -> Sequence[Dataset]:
        """All of them, newest first."""
        if not self._files.is_dir():
            return []
        files = sorted(self._files.glob("*/dataset.json"), reverse=True)
        return [DATASET.validate_json(file.read_bytes()) for file in files]

    def dataset(self, dataset_id: str) -> Dataset:
        """One of them.

        Raises:
            NotFound: there is none of that id.
        """
        return DATASET.validate_json((self._place(dataset_id) / "dataset.json").read_bytes())

    def source_file(self, dataset_id: str) -> Path:
        """The file as it was uploaded.

        Raises:
            NotFound: there is no such dataset.
        """
        return next((self._place(dataset_id) / "source").iterdir())

    def of_source(self, path: Path) -> Dataset | None:
        """The dataset whose file this is."""
        folder = path.resolve().parent
        is_ours = folder.name == "source" and folder.parent.parent == self._files.resolve()
        return self.dataset(folder.parent.name) if is_ours else None

    def knows(self, dataset_id: str) -> bool:
        """Whether there is such a dataset."""
        return bool(dataset_id) and (self._files / dataset_id / "dataset.json").is_file()

    def remove_dataset(self, dataset_id: str) -> None:
        """Put it aside, for ``purge`` to remove one day.

        Raises:
            NotFound: there is no such dataset.
        """
        place = self._place(dataset_id)
        self._removed.mkdir(parents=True, exist_ok=True)
        os.utime(place)
        place.rename(self._removed / dataset_id)

    def restore_dataset(self, dataset_id: str) -> None:
        """Undo ``remove``.

        Raises:
            NotFound: it was not removed, or long ago.
        """
        aside = self._removed / dataset_id
        if Path(dataset_id).name != dataset_id or not aside.is_dir():
            raise NotFound("This file is gone for good. Upload it again.")
        aside.rename(self._files / dataset_id)

    def purge_datasets(self, after: timedelta) -> None:
        """Remove what was put aside so long ago, and what a kill left half made."""
        for path in [*self._removed.glob("*"), *self._files.glob(".*")]:
            if time.time() - path.stat().st_mtime > after.total_seconds():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _add(self, name: str, path: Path) -> Dataset:
        table = data.read_rows(path, name)
        guesses = tuple(data.guess(table))
        if not guesses:
            raise DatasetError(
                f"{name} has the columns {', '.join(table.columns)}, and none of them looks like "
                "a text, a label, a question or an answer. Rename its columns."
            )
        now = datetime.now(UTC)
        dataset = Dataset(
            id=f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}",
            name=name,
            created_at=now,
            bytes=path.stat().st_size,
            rows=table.count,
            columns=table.columns,
            guesses=guesses,
            mapping=guesses[0].mapping,
        )
        draft = self._files / f".{dataset.id}"
        try:
            with kept_in(self._files, name):
                (draft / "source").mkdir(parents=True)
                shutil.copyfile(path, draft / "source" / _safe(name))
                (draft / "sha256").write_text(_hash(path))
                lines.replace(draft / "dataset.json", DATASET.dump_json(dataset))
                draft.rename(self._files / dataset.id)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return dataset

    def _known(self, name: str, path: Path) -> Dataset | None:
        """The newest dataset of that name and content, or the one whose file this is."""
        if ours := self.of_source(path):
            return ours
        wanted = _hash(path)
        for one in self.datasets():
            if one.name == name and (self._files / one.id / "sha256").read_text() == wanted:
                return one
        return None

    def _place(self, dataset_id: str) -> Path:
        place = self._files / dataset_id
        if Path(dataset_id).name != dataset_id or not (place / "dataset.json").is_file():
            raise NotFound("This file is not there any more. It may have been removed.")
        return place

    @contextmanager
    def _pasted(self, text: str) -> Iterator[Path]:
        """A file with this text, for as long as it is being taken in."""
        path = self._files / f".pasted-{secrets.token_hex(6)}"
        try:
            with kept_in(self._files, "What was pasted"):
                self._files.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", errors="replace")
            yield path
        finally:
            path.unlink(missing_ok=True)


def _safe(name: str) -> str:
    """As a file's name; what it ends on says what kind of text it is."""
    path = Path(name)
    stem = _UNSAFE.sub("-", path.stem).strip("-.")[:80] or "data"
    return stem + _UNSAFE.sub("", path.suffix)[:10]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
