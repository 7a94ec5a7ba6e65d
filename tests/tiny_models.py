"""Tiny random-weight models with a real tokenizer, written in well under a second.

``tiny_hf`` and ``tiny_gguf`` with the same arguments hold the very same weights, so what one engine
says can be compared with what another says. Sizes are chosen so that bitsandbytes can pack the
projections (outputs % 32 == 0, inputs % 64 == 0) and every GGUF block format fits (inputs % 32).
Nothing here imports torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, GGUFWriter, quants
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

Architecture = Literal["llama", "qwen2", "qwen3"]
Weights = dict[str, npt.NDArray[np.float32]]

END_OF_TEXT, IM_START, IM_END = 0, 1, 2
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
VOCAB_SIZE = 320
HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FEED_FORWARD = 64, 2, 4, 2, 16, 128
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_CORPUS = (
    "The parcel arrives in three days. You can return the order within thirty days and the "
    "refund is paid in the same way that you paid. Is there anything else that I can help with? "
    "The assistant answers questions about orders, returns, payments and the account of the user. "
    "system user assistant Hello! What is the price of the delivery? It is free from 50 euros. "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyModel:
    """What a tiny model looks like; the defaults are a llama with tied embeddings."""

    architecture: Architecture = "llama"
    context: int = 512
    tied: bool = True
    seed: int = 0

    def weights(self) -> Weights:
        """Tensors under their Hugging Face names, every value exactly a float16."""
        random = np.random.default_rng(self.seed)

        def matrix(rows: int, columns: int) -> npt.NDArray[np.float32]:
            scaled = random.standard_normal((rows, columns)) * 2 / np.sqrt(columns)
            return scaled.astype(np.float16).astype(np.float32)

        def vector(length: int, mean: float) -> npt.NDArray[np.float32]:
            drawn = mean + 0.1 * random.standard_normal(length)
            return drawn.astype(np.float16).astype(np.float32)

        tensors = {
            "model.embed_tokens.weight": matrix(VOCAB_SIZE, HIDDEN),
            "model.norm.weight": vector(HIDDEN, 1),
        }
        if not self.tied:
            tensors["lm_head.weight"] = matrix(VOCAB_SIZE, HIDDEN)
        outputs = {"q": HEADS * HEAD_DIM, "k": KV_HEADS * HEAD_DIM, "v": KV_HEADS * HEAD_DIM}
        for index in range(LAYERS):
            layer = f"model.layers.{index}"
            for letter, rows in outputs.items():
                tensors[f"{layer}.self_attn.{letter}_proj.weight"] = matrix(rows, HIDDEN)
                if self.architecture == "qwen2":
                    tensors[f"{layer}.self_attn.{letter}_proj.bias"] = vector(rows, 0)
                if self.architecture == "qwen3" and letter in "qk":
                    tensors[f"{layer}.self_attn.{letter}_norm.weight"] = vector(HEAD_DIM, 1)
            tensors[f"{layer}.self_attn.o_proj.weight"] = matrix(HIDDEN, HEADS * HEAD_DIM)
            tensors[f"{layer}.mlp.gate_proj.weight"] = matrix(FEED_FORWARD, HIDDEN)
            tensors[f"{layer}.mlp.up_proj.weight"] = matrix(FEED_FORWARD, HIDDEN)
            tensors[f"{layer}.mlp.down_proj.weight"] = matrix(HIDDEN, FEED_FORWARD)
            tensors[f"{layer}.input_layernorm.weight"] = vector(HIDDEN, 1)
            tensors[f"{layer}.post_attention_layernorm.weight"] = vector(HIDDEN, 1)
        return tensors

    def config(self) -> dict[str, object]:
        """The model's config.json."""
        return {
            "architectures": [f"{self.architecture.capitalize()}ForCausalLM"],
            "model_type": self.architecture,
            "vocab_size": VOCAB_SIZE,
            "hidden_size": HIDDEN,
            "intermediate_size": FEED_FORWARD,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": KV_HEADS,
            "head_dim": HEAD_DIM,
            "max_position_embeddings": self.context,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "tie_word_embeddings": self.tied,
            "bos_token_id": IM_START,
            "eos_token_id": IM_END,
            "pad_token_id": IM_END,
            "dtype": "float32",
        }


def tiny_tokenizer() -> Tokenizer:
    """A byte-level BPE of 320 tokens: the three specials, 256 bytes and a few merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_CORPUS], trainer)
    assert tokenizer.get_vocab_size() == VOCAB_SIZE
    return tokenizer


def tiny_hf(folder: Path, model: TinyModel | None = None) -> Path:
    """Write a Hugging Face folder with float32 safetensors and return it."""
    model = model or TinyModel()
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.weights(), folder / "model.safetensors", metadata={"format": "pt"})
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    _write_json(folder / "config.json", model.config())
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|im_start|>",
            "eos_token": "<|im_end|>",
            "unk_token": "<|endoftext|>",
            "pad_token": "<|im_end|>",
            "model_max_length": model.context,
            "clean_up_tokenization_spaces": False,
            "chat_template": CHAT_TEMPLATE,
        },
    )
    _write_json(
        folder / "generation_config.json",
        {"bos_token_id": IM_START, "eos_token_id": IM_END, "pad_token_id": IM_END},
    )
    return folder


def tiny_gguf(
    path: Path,
    model: TinyModel | None = None,
    quantization: Literal["F16", "Q8_0", "Q4_0", "Q4_1"] = "F16",
) -> Path:
    """Write the same model as a GGUF file and return its path.

    Matrices are stored in ``quantization``; the embedding of a block-quantised file is Q8_0, as
    in the files people download. Vectors are float32.
    """
    model = model or TinyModel()
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(path, model.architecture)
    _add_metadata(writer, model, quantization)
    for name, tensor in model.weights().items():
        if model.architecture == "llama" and (".q_proj." in name or ".k_proj." in name):
            tensor = _permuted(tensor, HEADS if ".q_proj." in name else KV_HEADS)
        kind = GGMLQuantizationType[quantization] if tensor.ndim == 2 else GGMLQuantizationType.F32
        if name == "model.embed_tokens.weight" and quantization != "F16":
            kind = GGMLQuantizationType.Q8_0
        writer.add_tensor(_gguf_name(name), quants.quantize(tensor, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_metadata(writer: GGUFWriter, model: TinyModel, quantization: str) -> None:
    writer.add_name("Tiny")
    writer.add_context_length(model.context)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB_SIZE)
    writer.add_file_type({"F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7}[quantization])
    writer.add_quantization_version(2)
    bpe = json.loads(tiny_tokenizer().to_str())["model"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(sorted(bpe["vocab"], key=bpe["vocab"].__getitem__))
    writer.add_token_types([3] * len(SPECIALS) + [1] * (VOCAB_SIZE - len(SPECIALS)))
    writer.add_token_merges([" ".join(pair) for pair in bpe["merges"]])
    writer.add_bos_token_id(IM_START)
    writer.add_eos_token_id(IM_END)
    writer.add_unk_token_id(END_OF_TEXT)
    writer.add_pad_token_id(IM_END)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _permuted(tensor: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """llama.cpp keeps each head's rotary halves interleaved (``LlamaModel.permute`` there)."""
    half = tensor.shape[0] // heads // 2
    split = tensor.reshape(heads, 2, half, *tensor.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(tensor.shape))


def _gguf_name(name: str) -> str:
    for long, short in (
        ("model.layers.", "blk."),
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("post_attention_layernorm", "ffn_norm"),
        ("input_layernorm", "attn_norm"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.", "attn_"),
        ("mlp.", "ffn_"),
        ("_proj.", "."),
    ):
        name = name.replace(long, short)
    return name


def _write_json(path: Path, value: dict[str, object]) -> None:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
