"""Uploaded files of labelled data: each a folder with the file as it came, and what was decided."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from chatapp.errors import DatasetError, InvalidRequest, NotFound, StorageError
from chatapp.flows.finetune_memory import Memory
from chatapp.training import data
from chatapp.training.run import lines, locks
from chatapp.training_records import DataMapping, Dataset, Example

_DATASET = TypeAdapter(Dataset)
_EXAMPLE = TypeAdapter(Example)
_LABELS = TypeAdapter(dict[int, str])

_PATIENCE = 10.0
_UNSAFE = re.compile(r"[^\w.-]+")


class Datasets:
    """The files under ``datasets/``.

    Args:
        folder: the data folder's ``training``.
        corrections: what the team approved, for a file of its own.
    """

    def __init__(self, folder: Path, corrections: Callable[[], Sequence[Example]]) -> None:
        self._files = folder / "datasets"
        self._removed = folder / "datasets-removed"
        self._corrections = corrections
        self._memory = Memory()

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
        return [_DATASET.validate_json(file.read_bytes()) for file in files]

    def dataset(self, dataset_id: str) -> Dataset:
        """One of them.

        Raises:
            NotFound: there is none of that id.
        """
        return _DATASET.validate_json((self._place(dataset_id) / "dataset.json").read_bytes())

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
        half_made = [path for path in self._files.glob(".*") if path.is_dir()]
        for path in [*self._removed.glob("*"), *half_made]:
            if time.time() - path.stat().st_mtime > after.total_seconds():
                shutil.rmtree(path, ignore_errors=True)

    def set_mapping(self, dataset_id: str, mapping: DataMapping) -> Dataset:
        """Read its columns another way; fixes of the old reading are dropped.

        Raises:
            DatasetError: a column or a role that is not there, or one that is left out.
            NotFound: there is no such dataset.
        """
        with self._alone(dataset_id) as dataset:
            data.to_examples(self._table(dataset), mapping)
            return self._write(replace(dataset, mapping=mapping, fixes=()))

    def fix(self, dataset_id: str, fix_id: str) -> Dataset:
        """Apply a fix that the doctor offered; the file itself stays as it is.

        Raises:
            NotFound: there is no such dataset.
        """
        with self._alone(dataset_id) as dataset:
            if fix_id in dataset.fixes:
                return dataset
            return self._write(replace(dataset, fixes=(*dataset.fixes, fix_id)))

    def unfix(self, dataset_id: str, fix_id: str) -> Dataset:
        """Take a fix back.

        Raises:
            NotFound: there is no such dataset.
        """
        with self._alone(dataset_id) as dataset:
            kept = tuple(one for one in dataset.fixes if one != fix_id)
            return self._write(replace(dataset, fixes=kept))

    def relabel(self, dataset_id: str, row: int, label: str) -> None:
        """Give a row another label, from the next run on.

        Raises:
            InvalidRequest: the label is empty.
            NotFound: there is no such dataset.
        """
        if not (label := label.strip()):
            raise InvalidRequest("A label cannot be empty.")
        with self._alone(dataset_id):
            labels = {**self._labels(dataset_id), row: label}
            lines.replace(self._place(dataset_id) / "labels.json", _LABELS.dump_json(labels))

    def mapped(self, dataset_id: str) -> data.Mapped:
        """What its rows say, with what was relabelled; fixes are not applied yet.

        Raises:
            DatasetError: the file cannot be read any more.
            NotFound: there is no such dataset.
        """
        return self._memory.get(
            ("mapped", *self.version(dataset_id)), lambda: self._map(dataset_id)
        )

    def version(self, dataset_id: str) -> tuple[object, ...]:
        """Another one after every change of what was decided about a file.

        Raises:
            NotFound: there is no such dataset.
        """
        place = self._place(dataset_id)
        decided = (lines.version(place / name) for name in ("dataset.json", "labels.json"))
        return dataset_id, *decided

    def _map(self, dataset_id: str) -> data.Mapped:
        dataset = self.dataset(dataset_id)
        mapped = data.to_examples(self._table(dataset), dataset.mapping)
        if not (labels := self._labels(dataset_id)):
            return mapped
        relabelled = (
            _relabelled(one, labels[one.row]) if one.row in labels else one
            for one in mapped.examples
        )
        return replace(mapped, examples=tuple(relabelled))

    def _table(self, dataset: Dataset) -> data.Table:
        return data.read_rows(self.source_file(dataset.id), dataset.name)

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
            (draft / "source").mkdir(parents=True)
            shutil.copyfile(path, draft / "source" / _safe(name))
            (draft / "sha256").write_text(_hash(path))
            lines.replace(draft / "dataset.json", _DATASET.dump_json(dataset))
            draft.rename(self._files / dataset.id)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise StorageError(
                f"{name} cannot be kept in {self._files}: {error.strerror or error}. Free some "
                "space, or set CHATAPP_DATA to another folder."
            ) from error
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

    def _labels(self, dataset_id: str) -> dict[int, str]:
        try:
            return _LABELS.validate_json((self._place(dataset_id) / "labels.json").read_bytes())
        except OSError:
            return {}

    def _place(self, dataset_id: str) -> Path:
        place = self._files / dataset_id
        if Path(dataset_id).name != dataset_id or not (place / "dataset.json").is_file():
            raise NotFound("This file is not there any more. It may have been removed.")
        return place

    def _write(self, dataset: Dataset) -> Dataset:
        lines.replace(self._place(dataset.id) / "dataset.json", _DATASET.dump_json(dataset))
        return dataset

    @contextmanager
    def _alone(self, dataset_id: str) -> Iterator[Dataset]:
        """As it stands, while nobody else changes it."""
        handle = locks.take(self._place(dataset_id) / "lock", _PATIENCE)
        if handle is None:
            raise StorageError("This file is being changed elsewhere. Please try again.")
        try:
            yield self.dataset(dataset_id)
        finally:
            os.close(handle)

    @contextmanager
    def _pasted(self, text: str) -> Iterator[Path]:
        """A file with this text, for as long as it is being taken in."""
        self._files.mkdir(parents=True, exist_ok=True)
        path = self._files / f".pasted-{secrets.token_hex(6)}"
        try:
            path.write_text(text, encoding="utf-8", errors="replace")
            yield path
        finally:
            path.unlink(missing_ok=True)


def _relabelled(example: Example, label: str) -> Example:
    """An answer is the label where a file of questions and answers is sorted by."""
    if not example.messages:
        return replace(example, label=label)
    last = replace(example.messages[-1], content=label)
    return replace(example, messages=(*example.messages[:-1], last))


def _safe(name: str) -> str:
    """As a file's name; what it ends on says what kind of text it is."""
    path = Path(name)
    stem = _UNSAFE.sub("-", path.stem).strip("-.")[:80] or "data"
    return stem + _UNSAFE.sub("", path.suffix)[:10]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
