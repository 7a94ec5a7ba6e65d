"""Whatever way a change was trained, what is saved gives the very model that was trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedModel

from chatapp.training.config import Method, RunConfig, make_config
from chatapp.training.storing import save_adapter, with_adapter
from tests.tiny_models import tiny_hf

TARGETS = ("q_proj", "v_proj", "down_proj")
READ = torch.tensor([[1, 40, 80, 120, 160, 200]])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hf(tmp_path_factory.mktemp("base"))


def fresh(base: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)


def a_config(method: Method) -> RunConfig:
    values = {"rank": 4, "alpha": 12, "dropout": 0.0}
    return make_config({"task": "chat", "name": "shop", "method": method, **values})


def taught(base: Path, config: RunConfig, scratch: Path, steps: int = 12) -> PeftModel:
    """A few real steps, with everything that AdaLoRA does between them."""
    torch.manual_seed(3)
    model = with_adapter(fresh(base), config, TARGETS, steps, scratch, "CAUSAL_LM")
    model.train()
    learning = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=0.01)
    for step in range(steps):
        model(READ, labels=READ).loss.backward()
        optimizer.step()
        if config.method == "adalora":
            model.base_model.update_and_allocate(step + 1)
        optimizer.zero_grad()
    return model.eval()


@torch.no_grad()
def scores(model: torch.nn.Module) -> torch.Tensor:
    return model(READ).logits


@pytest.mark.parametrize("method", ["lora", "rslora", "pissa", "adalora", "dora"])
def test_what_is_saved_is_what_was_learned(base: Path, tmp_path: Path, method: Method) -> None:
    config = a_config(method)
    model = taught(base, config, tmp_path)
    save_adapter(model, config, tmp_path / "adapter", tmp_path)
    loaded = PeftModel.from_pretrained(fresh(base), tmp_path / "adapter").eval()
    assert torch.allclose(scores(loaded), scores(model), atol=2e-4)
    assert not torch.allclose(scores(loaded), scores(fresh(base)), atol=1e-2)
    assert sorted(one.name for one in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


@pytest.mark.parametrize("method", ["lora", "rslora", "pissa", "adalora"])
def test_all_but_dora_is_plain_lora(base: Path, tmp_path: Path, method: Method) -> None:
    config = a_config(method)
    save_adapter(taught(base, config, tmp_path), config, tmp_path / "adapter", tmp_path)
    said = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert said["peft_type"] == "LORA"
    for feature in ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern", "modules_to_save"):
        assert not said.get(feature), feature
    assert said["bias"] == "none"
    assert not (tmp_path / "initial").exists()
