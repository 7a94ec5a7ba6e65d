"""The plain weights made from a GGUF file are the model's own."""

from dataclasses import dataclass, replace
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from chatapp.engine.models import dense, gguf_tokenizer
from chatapp.engine.models.gguf_header import TensorInfo, read_header
from chatapp.errors import ModelError
from tests.tiny_models import Architecture, TinyModel, Weights, tiny_gguf, tiny_hf


def silent(step: str, share: float | None) -> None:
    pass


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [True, False])
def test_half_precision_weights_come_back_bit_for_bit(
    tmp_path: Path, architecture: Architecture, tied: bool
) -> None:
    model = TinyModel(architecture=architecture, tied=tied)
    dense.convert(tiny_gguf(tmp_path / "m.gguf", model), tmp_path / "dense", silent)
    got, expected = load_file(tmp_path / "dense" / "model.safetensors"), model.weights()
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(got[name], tensor.astype(np.float16), err_msg=name)


def test_four_bit_weights_are_the_file_s_own_rounded_to_half_precision(tmp_path: Path) -> None:
    model = TinyModel(architecture="qwen2")
    dense.convert(tiny_gguf(tmp_path / "m.gguf", model, "Q4_1"), tmp_path / "dense", silent)
    got = load_file(tmp_path / "dense" / "model.safetensors")
    for name, kind in (
        ("model.layers.1.mlp.down_proj.weight", gguf.GGMLQuantizationType.Q4_1),
        ("model.embed_tokens.weight", gguf.GGMLQuantizationType.Q8_0),
    ):
        stored = gguf.dequantize(gguf.quantize(model.weights()[name], kind), kind)
        np.testing.assert_array_equal(got[name], stored.astype(np.float16))


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_transformers_computes_the_same_from_the_folder_as_from_the_gguf(
    tmp_path: Path, architecture: Architecture
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    file = tiny_gguf(tmp_path / "m.gguf", TinyModel(architecture=architecture))
    dense.convert(file, tmp_path / "dense", silent)
    ours = AutoModelForCausalLM.from_pretrained(tmp_path / "dense", dtype=torch.float32)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="m.gguf", dtype=torch.float32)
    ids = torch.arange(3, 60)[None]
    with torch.no_grad():
        torch.testing.assert_close(ours(ids).logits, theirs(ids).logits, rtol=0, atol=1e-5)


def test_the_folder_s_configuration_is_that_of_the_original(tmp_path: Path) -> None:
    from transformers import AutoConfig

    model = TinyModel(architecture="qwen3", context=300, tied=False)
    dense.convert(tiny_gguf(tmp_path / "m.gguf", model), tmp_path / "dense", silent)
    ours = AutoConfig.from_pretrained(tmp_path / "dense").to_dict()
    original = AutoConfig.from_pretrained(tiny_hf(tmp_path / "hf", model)).to_dict()
    assert ours.pop("rms_norm_eps") == pytest.approx(original.pop("rms_norm_eps"))
    assert ours.pop("dtype") == "float16"
    differing = {key for key in original if ours.get(key) != original[key]}
    assert differing <= {"dtype", "_name_or_path"}


def test_llama_3_frequencies_are_recognised(tmp_path: Path) -> None:
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rope = {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    config = LlamaConfig(hidden_size=256, num_attention_heads=4, rope_parameters=rope)
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    plain = 500000.0 ** -(np.arange(32) / 32)
    factors = (plain / scaled.numpy()).astype(np.float32)
    header = read_header(tiny_gguf(tmp_path / "m.gguf"))
    header = replace(
        header,
        metadata={**header.metadata, "llama.rope.freq_base": 500000.0},
        tensors=(*header.tensors, TensorInfo("rope_freqs.weight", (32,), 0, 0)),
    )
    assert dense.model_config(header, lambda _: factors)["rope_parameters"] == pytest.approx(rope)
    with pytest.raises(ModelError, match="not Llama 3's"):
        dense.model_config(header, lambda _: np.linspace(1, 9, 32, dtype=np.float32))


def test_what_cannot_be_represented_is_refused(tmp_path: Path) -> None:
    header = read_header(tiny_gguf(tmp_path / "m.gguf"))

    def read(tensor: TensorInfo) -> dense.Floats:
        raise AssertionError("no tensor is needed")

    stretched = replace(header, metadata={**header.metadata, "llama.rope.scaling.type": "yarn"})
    with pytest.raises(ModelError, match="yarn"):
        dense.model_config(stretched, read)
    with pytest.raises(ModelError, match="gemma"):
        dense.model_config(replace(header, metadata={"general.architecture": "gemma"}), read)
    with pytest.raises(ModelError, match=r"ffn_gate_inp\.weight"):
        dense.hf_name(header, TensorInfo("blk.0.ffn_gate_inp.weight", (8, 64), 0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflowing(TinyModel):
    def weights(self) -> Weights:
        tensors = TinyModel.weights(self)
        tensors["model.norm.weight"][7] = 1e6
        return tensors


def test_a_number_too_large_for_half_precision_is_named(tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "m.gguf", Overflowing())
    with pytest.raises(ModelError, match=r"output_norm\.weight"):
        dense.convert(file, tmp_path / "dense", silent)


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_the_tokenizer_reads_every_text_as_the_original_does(
    tmp_path: Path, architecture: Architecture
) -> None:
    from transformers import AutoTokenizer

    model = TinyModel(architecture=architecture)
    file = tiny_gguf(tmp_path / "m.gguf", model)
    dense.convert(file, tmp_path / "made", silent)
    gguf_tokenizer.convert(file, tmp_path / "made", silent)
    # As its own class, transformers would replace a qwen2 tokenizer's splitting.
    original = AutoTokenizer.from_pretrained(tiny_hf(tmp_path / "hf"))
    made = AutoTokenizer.from_pretrained(tmp_path / "made")
    for text in (
        "x  12 and 2024",
        "prices:\n 1. a  2. b",
        "\n\n12",
        "<|im_start|>user\nhi<|im_end|>",
        "don't  I'LL",
        "héllo 你好 🎉",
    ):
        assert made(text).input_ids == original(text).input_ids, text
    chat = [{"role": "user", "content": "Hello?"}]
    assert made.apply_chat_template(chat) == original.apply_chat_template(chat)
    assert made.special_tokens_map == original.special_tokens_map
    assert made.model_max_length == model.context


def test_a_second_token_that_ends_a_turn_ends_an_answer(tmp_path: Path) -> None:
    header = read_header(tiny_gguf(tmp_path / "m.gguf"))
    assert header.token_ids()["eos_token_id"] == 2
    turn = replace(header, metadata={**header.metadata, "tokenizer.ggml.eot_token_id": 0})
    assert turn.token_ids()["eos_token_id"] == [2, 0]
