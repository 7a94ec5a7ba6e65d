"""Whatever is uploaded ends in one clear sentence or in a finding, quickly and in little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from chatapp.errors import DatasetError
from chatapp.training.data import estimated_tokens, examine, guess, read_rows, to_examples
from chatapp.training.data.table import Table
from tests.unit.training.data.hostile import HOSTILE, Hostile

MEMORY = 80 * 1024**2
"""Bytes on top of the libraries: the largest of these files are 100 MB and 1 GB."""


def read(case: Hostile, folder: Path) -> Table:
    path = folder / case.name
    case.make(path)
    return read_rows(path)


def test_there_are_forty_of_them() -> None:
    assert len({case.name for case in HOSTILE}) == len(HOSTILE) >= 40


@pytest.mark.parametrize("case", [one for one in HOSTILE if one.says], ids=lambda one: one.name)
def test_one_sentence_says_what_is_wrong_and_where(case: Hostile, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as raised:
        read(case, tmp_path)
    sentence = raised.value.sentence
    assert sentence.startswith(case.name)
    assert sentence.endswith((".", ").", '"".'))
    assert "\n" not in sentence
    assert len(sentence) < 500
    assert raised.value.facts["file"] == case.name
    for part in case.says:
        assert part in sentence


@pytest.mark.parametrize("case", [one for one in HOSTILE if not one.says], ids=lambda one: one.name)
def test_what_can_be_read_is_read_and_the_rest_is_named(case: Hostile, tmp_path: Path) -> None:
    table = read(case, tmp_path)
    assert table.count > 0
    assert guess(table)
    if case.finds:
        finding = next(one for one in table.findings if one.kind == case.finds)
        assert finding.count > 0
        assert finding.sentence.endswith((".", '"".', "…."))
        assert all(place.file == case.name and place.row > 0 for place in finding.places)


@pytest.mark.parametrize("name", ["gigabyte.csv", "long-line.csv", "long-value.json", "deep.json"])
def test_a_monster_is_refused_in_little_memory(name: str, tmp_path: Path) -> None:
    case = next(one for one in HOSTILE if one.name == name)
    path = tmp_path / name
    case.make(path)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError):
            read_rows(path)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_a_hundred_thousand_labels_are_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = (f"Question number {n} about something,label{n}\n" for n in range(100_000))
    path.write_text("text,label\n" + "".join(rows))
    table = read_rows(path)
    mapped = to_examples(
        table, next(g for g in guess(table) if g.mapping.format == "text_label").mapping
    )
    few = mapped.examples[:3_000]
    diagnosis = examine(few, mapped.findings, "classify", estimated_tokens, 128)
    finding = next(one for one in diagnosis.findings if one.kind == "too_many_labels")
    assert "3,000 different labels" in finding.sentence
    assert diagnosis.ready == 0


def test_a_folder_and_a_missing_file_are_one_sentence_too(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name, said in (("folder.csv", "is not a file"), ("missing.csv", "cannot be opened")):
        with pytest.raises(DatasetError, match=said):
            read_rows(tmp_path / name)
