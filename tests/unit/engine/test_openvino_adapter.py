"""Adapters that the OpenVINO engine would serve wrong are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from chatapp.engine.openvino.adapter import check_adapter
from chatapp.errors import ModelError
from tests.contract_models import tiny_lora
from tests.tiny_models import HIDDEN, LAYERS

SHAPES = {
    f"model.layers.{layer}.self_attn.{role}": (HIDDEN, HIDDEN)
    for layer in range(LAYERS)
    for role in ("q_proj", "o_proj")
}


def change_config(folder: Path, **values: object) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def change_tensors(folder: Path, add: dict[str, tuple[int, ...]], drop: str = "") -> None:
    path = folder / "adapter_model.safetensors"
    tensors = {name: value for name, value in load_file(path).items() if name != drop}
    tensors |= {name: np.zeros(shape, np.float32) for name, shape in add.items()}
    save_file(tensors, path)


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as refused:
        check_adapter(folder, SHAPES)
    return refused.value.sentence


def test_the_scale_is_alpha_over_rank(tmp_path: Path) -> None:
    checked = check_adapter(tiny_lora(tmp_path, rank=4, alpha=16), SHAPES)
    assert checked.scale == 4
    assert checked.file == tmp_path / "adapter_model.safetensors"


@pytest.mark.parametrize(
    "values",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"fan_in_fan_out": True},
        {"modules_to_save": ["lm_head"]},
        {"rank_pattern": {"q_proj": 2}},
        {"alpha_pattern": {"q_proj": 2}},
        {"bias": "all"},
        {"peft_type": "IA3"},
        {"r": 0},
        {"lora_alpha": None},
    ],
)
def test_other_kinds_are_named(tmp_path: Path, values: dict[str, object]) -> None:
    folder = tiny_lora(tmp_path)
    change_config(folder, **values)
    name = next(iter(values))
    assert name in refusal(folder) or "IA3" in refusal(folder)


def test_tensors_of_another_model_are_named(tmp_path: Path) -> None:
    layer = "base_model.model.model.layers"
    for name, shape in (
        (f"{layer}.9.self_attn.q_proj.lora_A.weight", (4, HIDDEN)),
        (f"{layer}.0.self_attn.q_proj.lora_magnitude_vector", (HIDDEN,)),
        ("base_model.model.lm_head.lora_A.weight", (4, HIDDEN)),
        (f"{layer}.0.self_attn.q_proj.lora_A.weight", (4, HIDDEN + 1)),
        (f"{layer}.0.self_attn.q_proj.lora_B.weight", (HIDDEN, 5)),
    ):
        folder = tiny_lora(tmp_path / str(abs(hash((name, shape)))))
        change_tensors(folder, {name: shape})
        assert name in refusal(folder)


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    folder = tiny_lora(tmp_path)
    gone = "base_model.model.model.layers.1.self_attn.o_proj.lora_B.weight"
    change_tensors(folder, {}, drop=gone)
    assert gone in refusal(folder)


def test_pickle_is_never_opened(tmp_path: Path) -> None:
    folder = tiny_lora(tmp_path)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    assert "pickle" in refusal(folder)


def test_what_is_no_adapter_is_refused(tmp_path: Path) -> None:
    assert "adapter_config.json" in refusal(tmp_path)
    folder = tiny_lora(tmp_path / "lora")
    (folder / "adapter_config.json").write_text("[]")
    assert "configuration" in refusal(folder)
    folder = tiny_lora(tmp_path / "cut")
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    assert "safetensors" in refusal(folder)
