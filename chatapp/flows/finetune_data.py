"""What was decided about a file of labelled data: its columns, its fixes, and its labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from chatapp.errors import InvalidRequest, StorageError
from chatapp.flows.finetune_disk import kept_in
from chatapp.flows.finetune_files import DATASET, DatasetFiles
from chatapp.flows.finetune_memory import Memory
from chatapp.training import data
from chatapp.training.run import lines, locks
from chatapp.training_records import DataMapping, Dataset, Example

_LABELS = TypeAdapter(dict[int, str])

_PATIENCE = 10.0


class Datasets(DatasetFiles):
    """The files, and what their rows say after everything that was decided about them.

    Args:
        folder: the data folder's ``training``.
        corrections: what the team approved, for a file of its own.
    """

    def __init__(self, folder: Path, corrections: Callable[[], Sequence[Example]]) -> None:
        super().__init__(folder, corrections)
        self._memory = Memory()

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
            self._keep(dataset_id, "labels.json", _LABELS.dump_json(labels))

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

    def _labels(self, dataset_id: str) -> dict[int, str]:
        try:
            return _LABELS.validate_json((self._place(dataset_id) / "labels.json").read_bytes())
        except OSError:
            return {}

    def _write(self, dataset: Dataset) -> Dataset:
        self._keep(dataset.id, "dataset.json", DATASET.dump_json(dataset))
        return dataset

    def _keep(self, dataset_id: str, name: str, content: bytes) -> None:
        place = self._place(dataset_id)
        with kept_in(place, "What you decided"):
            lines.replace(place / name, content)

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


def _relabelled(example: Example, label: str) -> Example:
    """An answer is the label where a file of questions and answers is sorted by."""
    if not example.messages:
        return replace(example, label=label)
    last = replace(example.messages[-1], content=label)
    return replace(example, messages=(*example.messages[:-1], last))
