"""What is mixed in so that a fine-tune does not forget."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.chat.everyday import EVERYDAY, REHEARSED, mixed_in
from chatapp.training.chat.rehearsal import rehearsed, whole_sentences
from chatapp.training.run.folder import RunFolder
from tests.tiny_models import tiny_hf
from tests.unit.training.chat.school import a_config, a_run, asked


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("It is blue. That is due to", "It is blue."),
        ("Red, green and", ""),
        ("天空是蓝色的。因为", "天空是蓝色的。"),
        ("One!\nTwo? Thr", "One!\nTwo?"),
        ("", ""),
    ],
)
def test_a_sentence_that_was_cut_off_is_not_practised(text: str, whole: str) -> None:
    assert whole_sentences(text) == whole


def test_nothing_is_practised_that_is_measured_on() -> None:
    assert not set(REHEARSED) & {question for question, *_ in EVERYDAY}


def test_the_base_is_asked_once_a_run(tmp_path: Path) -> None:
    base = tiny_hf(tmp_path / "base")
    parts = {"train": [asked("Where is it?")] * 20, "validation": [], "test": []}
    folder = a_run(tmp_path / "run", a_config(base, rehearsal=0.2), parts)
    tokenizer = ChatTokenizer.load(base)
    first = rehearsed(folder, folder.config, tokenizer, 20)
    assert [one.question for one in first] == [
        question for question in REHEARSED[:4] if question in {one.question for one in first}
    ]
    # A resumed run must learn from the very same words, so it does not ask again.
    gone = folder.config.model_copy(update={"base": str(tmp_path / "nowhere")})
    assert rehearsed(RunFolder(folder.path), gone, tokenizer, 20) == first


def test_none_are_mixed_in_where_none_are_wanted(tmp_path: Path) -> None:
    base = tiny_hf(tmp_path / "base")
    parts = {"train": [asked("Where is it?")], "validation": [], "test": []}
    folder = a_run(tmp_path / "run", a_config(base, rehearsal=0.0), parts)
    assert rehearsed(folder, folder.config, ChatTokenizer.load(base), 1) == []


@pytest.mark.parametrize(("share", "rows", "count"), [(0.15, 240, 36), (0.15, 999, 40), (0, 9, 0)])
def test_so_many_are_mixed_in(share: float, rows: int, count: int) -> None:
    assert mixed_in(share, rows) == count
