"""A person sees exactly what the model will see."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage
from chatapp.training.config import RunConfig
from chatapp.training.data import encode, preview
from chatapp.training_records import Example
from tests.tiny_models import tiny_hf

EXAMPLE = Example(
    messages=(ChatMessage("user", "Price?"), ChatMessage("assistant", "Five euros or so."))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hf(tmp_path_factory.mktemp("model"))


def test_a_chat_is_rendered_with_what_is_learned_marked(folder: Path) -> None:
    config = RunConfig(task="chat", name="x", system_prompt="Be kind.")
    shown = preview(EXAMPLE, folder, config)
    ids, trained = encode(EXAMPLE, ChatTokenizer.load(folder), "Be kind.")
    assert (shown.tokens, shown.trained_tokens) == (len(ids), sum(trained))
    assert [piece.text for piece in shown.pieces if piece.trained] == [
        "Five euros or so.<|im_end|>"
    ]
    assert "".join(piece.text for piece in shown.pieces).startswith(
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nPrice?"
    )


@pytest.mark.parametrize("length", [16, 20, 25, 28])
def test_what_is_cut_off_is_not_shown(folder: Path, length: int) -> None:
    shown = preview(EXAMPLE, folder, RunConfig(task="chat", name="x", max_length=length))
    ids, trained = encode(EXAMPLE, ChatTokenizer.load(folder), "", length)
    assert (shown.tokens, shown.trained_tokens) == (len(ids), sum(trained))
    text = "".join(piece.text for piece in shown.pieces)
    whole = preview(EXAMPLE, folder, RunConfig(task="chat", name="x"))
    assert "".join(piece.text for piece in whole.pieces).startswith(text)
    assert ChatTokenizer.load(folder).encode(text) == ids


def test_a_text_to_sort_is_shown_with_its_label(folder: Path) -> None:
    example = Example(text="Where is it?", label="delivery")
    shown = preview(example, folder, RunConfig(task="classify", name="x"))
    assert [(piece.text, piece.trained) for piece in shown.pieces] == [
        ("Where is it?", False),
        ("delivery", True),
    ]
    assert shown.tokens > 3
    assert preview(example, None, RunConfig(task="classify", name="x")).tokens > 3
