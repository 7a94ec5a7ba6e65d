"""The tiny models that the engine contract is played on, and a LoRA adapter for them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.tiny_models import (
    HEAD_DIM,
    HEADS,
    HIDDEN,
    IM_END,
    LAYERS,
    TinyModel,
    Weights,
    tiny_tokenizer,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Babbler(TinyModel):
    """Writes ASCII babble that depends on the whole prompt and, greedily, never ends by itself."""

    tied: bool = False

    def weights(self) -> Weights:
        """Only tokens of plain text have an output row; the others stay at logit 0."""
        tensors = TinyModel.weights(self)
        for token, token_id in tiny_tokenizer().get_vocab().items():
            if not token.isascii() or token.startswith("<|"):
                tensors["lm_head.weight"][token_id] = 0
        return tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class Reciter(TinyModel):
    """Recites ``script`` after any prompt, greedily, and then ends the answer.

    Each token's successor is wired into the output rows, so no token may come twice.
    """

    script: str
    tied: bool = False

    def weights(self) -> Weights:
        """The layers add next to nothing; the output rows point from each token to the next."""
        tensors = TinyModel.weights(self)
        for name in tensors:
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                tensors[name] *= np.float32(1 / 64)
        rows = tensors["lm_head.weight"]
        rows[:] = 0
        embedding, gain = tensors["model.embed_tokens.weight"], tensors["model.norm.weight"]
        chain = [*self._prompt_end(), *self.script_ids(), IM_END]
        if len(set(chain)) != len(chain):
            raise ValueError(f"a token comes twice in {self.script!r}: {chain}")
        for token, successor in itertools.pairwise(chain):
            direction = embedding[token] / gain
            rows[successor] = 9 * direction / np.linalg.norm(direction) / np.sqrt(HIDDEN)
            rows[successor] = rows[successor].astype(np.float16).astype(np.float32)
        return tensors

    def script_ids(self) -> list[int]:
        """The script's token ids; control tokens inside it are those tokens."""
        return list(tiny_tokenizer().encode(self.script).ids)

    @staticmethod
    def _prompt_end() -> list[int]:
        return tiny_tokenizer().encode("<|im_start|>assistant\n").ids[-1:]


def tiny_lora(folder: Path, *, seed: int = 7, rank: int = 4, alpha: int = 16) -> Path:
    """Write a PEFT LoRA folder for a tiny model's q_proj and o_proj, strong enough to be heard."""
    random = np.random.default_rng(seed)
    tensors: Weights = {}
    for layer in range(LAYERS):
        for module in ("q_proj", "o_proj"):
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            down = random.standard_normal((rank, HIDDEN)) / np.sqrt(HIDDEN)
            up = random.standard_normal((HEADS * HEAD_DIM, rank))
            tensors[f"{name}.lora_A.weight"] = down.astype(np.float32)
            tensors[f"{name}.lora_B.weight"] = up.astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "tiny",
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj", "o_proj"],
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
