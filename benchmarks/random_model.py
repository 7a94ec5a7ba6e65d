"""A model folder with random weights of a given shape, and a tokenizer to go with it.

Speed depends on the shape and not on the values, so nothing has to be downloaded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig

_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A llama's measures."""

    hidden: int
    feed_forward: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int


SHAPES = {
    "8b": Shape(
        hidden=4096, feed_forward=14336, layers=32, heads=32, kv_heads=8, vocabulary=128256
    ),
    "7b": Shape(
        hidden=4096, feed_forward=11008, layers=32, heads=32, kv_heads=32, vocabulary=32000
    ),
    "tiny": Shape(hidden=256, feed_forward=512, layers=2, heads=4, kv_heads=2, vocabulary=2048),
}


def write_model(folder: Path, shape: Shape, device: str) -> None:
    """Write the folder; an 8B shape takes 16 GB and a minute or two. What is there is kept."""
    if (folder / "config.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder, shape.vocabulary)
    config = LlamaConfig(
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        vocab_size=shape.vocabulary,
        max_position_embeddings=8192,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        dtype="bfloat16",
    )
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    with torch.no_grad():
        model.lm_head.weight[2].zero_()  # so that no answer ends early
    model.save_pretrained(folder, max_shard_size="4GB")
    del model
    if device == "cuda":
        torch.cuda.empty_cache()


def _write_tokenizer(folder: Path, vocabulary: int) -> None:
    """Every byte is a token of its own; made-up words fill the vocabulary."""
    names = [*_SPECIALS, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    names += [f"Ġw{number}" for number in range(vocabulary - len(names))]
    tokenizer = Tokenizer(
        models.BPE(vocab={name: place for place, name in enumerate(names)}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(_SPECIALS))
    tokenizer.save(str(folder / "tokenizer.json"))
    facts = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
        "chat_template": _TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(facts, indent=2))
