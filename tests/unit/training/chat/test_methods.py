"""Each way to learn goes through, and leaves an adapter that changes what the model says."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from tests.tiny_models import tiny_hf
from tests.unit.training.chat.school import a_config, a_run, learn


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hf(tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "qlora"},
        {"method": "dora"},
        {"method": "rslora"},
        {"method": "pissa"},
        {"method": "adalora", "max_steps": 6},
        {"packing": True},
        {"gradient_checkpointing": True},
        {"precision": "bfloat16"},
        {"gradient_accumulation": 2, "batch_size": 2},
        {"label_smoothing": 0.1, "dropout": 0.1, "weight_decay": 0.01, "schedule": "linear"},
        {"schedule": "constant", "warmup": 0.0},
    ],
    ids=lambda settings: ",".join(f"{name}={value}" for name, value in settings.items()),
)
def test_it_learns_in_this_way(base: Path, tmp_path: Path, settings: dict[str, object]) -> None:
    folder = a_run(tmp_path / "run", a_config(base, **{"max_steps": 3, **settings}))
    learn(folder, report=False)
    losses = [one.loss for one in folder.metrics() if one.loss is not None]
    assert len(losses) == folder.config.max_steps
    assert losses[-1] < losses[0]
    weights = load_file(folder.adapter / "adapter_model.safetensors")
    parts = {name.rpartition(".lora_")[2].partition(".")[0] for name in weights}
    assert parts == {"A", "B", *(["magnitude_vector"] if settings.get("method") == "dora" else [])}
    assert all(one.any() for name, one in weights.items() if "lora_B" in name)
