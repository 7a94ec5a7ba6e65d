"""Which base is found, and which suits a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatapp.errors import ModelError
from chatapp.training.classify import presets, recommend_base
from chatapp.training.classify.bases import find_base
from chatapp.training.classify.lessons import in_words
from chatapp.training.config import make_config
from tests.tiny_encoders import tiny_bert
from tests.tiny_models import tiny_hf


@pytest.mark.parametrize(
    ("languages", "base"),
    [
        ({"en": 1.0}, "minilm"),
        ({"en": 0.95, "de": 0.05}, "minilm"),
        ({}, "minilm"),
        ({"zh": 1.0}, "multilingual"),
        ({"en": 0.6, "zh": 0.4}, "multilingual"),
    ],
)
def test_the_language_decides(languages: dict[str, float], base: str) -> None:
    found, sentence = recommend_base(languages, 770)

    assert found == base
    assert "770 rows" in sentence
    assert sentence.endswith(".")


def test_bundled_bases_and_folders_are_found(tmp_path: Path) -> None:
    assert find_base("minilm").kind == find_base("auto").kind == "minilm"
    assert find_base("multilingual").folder is None
    assert find_base(str(tiny_bert(tmp_path / "bert"))).kind == "encoder"
    assert find_base(str(tiny_hf(tmp_path / "chat"))).kind == "decoder"


def test_what_is_no_base_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no base nonsense"):
        find_base("nonsense")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        find_base(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertModel"]}))
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="Pickled weights"):
        find_base(str(tmp_path))


@pytest.mark.parametrize("preset", ["quick", "balanced", "thorough"])
def test_presets_decide_the_same_settings_and_cap_large_files(preset: str) -> None:
    few, many = presets(preset, 100, False), presets(preset, 100_000, False)  # type: ignore[arg-type]

    assert few.keys() == many.keys()
    assert few["max_steps"] is None
    assert isinstance(many["max_steps"], int)
    make_config({"task": "classify", "name": "x", **many})


def test_a_labels_name_is_read_as_words() -> None:
    assert in_words("card_arrival") == "card arrival"
    assert in_words("正面") == "正面"
    assert in_words("17") == in_words("-") == ""
