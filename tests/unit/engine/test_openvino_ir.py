"""The conversion: every weight of the saved graph is the file's, under its PEFT name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
import openvino
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quants

from chatapp.engine.models.conversion import run_converter
from chatapp.engine.openvino.gguf import GGUFWeights, _q4_k
from chatapp.engine.openvino.graph import ROLES, name_projections
from chatapp.engine.openvino.ir import convert
from chatapp.engine.openvino.parameters import parameter_count
from chatapp.errors import ModelError
from tests.tiny_models import HEADS, KV_HEADS, LAYERS, TinyModel, tiny_gguf


def silently(step: str, share: float | None) -> None:
    pass


def weight_in_graph(model: openvino.Model, name: str) -> np.ndarray:
    """What the node called ``name`` multiplies with, unpacked by the library."""
    node = next(n for n in model.get_ops() if n.get_friendly_name() == name)
    assert node.get_type_name() == "MatMul"
    alone = openvino.Model([node.input_value(1)], [], "weight")
    return np.array(openvino.compile_model(alone, "CPU")([])[0])


def weight_in_file(reader: GGUFReader, name: str, architecture: str) -> np.ndarray:
    tensor = next(t for t in reader.tensors if t.name == name)
    weight = quants.dequantize(tensor.data, tensor.tensor_type)
    if architecture == "llama" and ("attn_q." in name or "attn_k." in name):
        heads = HEADS if "attn_q." in name else KV_HEADS
        rows, columns = weight.shape
        weight = weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2)
        weight = weight.reshape(rows, columns)
    return np.asarray(weight)


@pytest.mark.parametrize("quantization", ["F16", "Q8_0", "Q4_0", "Q4_1"])
@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_every_projection_is_found_and_exact(
    tmp_path: Path,
    architecture: Literal["llama", "qwen2", "qwen3"],
    quantization: Literal["F16", "Q8_0", "Q4_0", "Q4_1"],
) -> None:
    path = tiny_gguf(tmp_path / "m.gguf", TinyModel(architecture=architecture), quantization)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    convert(path, tmp_path / "out", silently)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "openvino_model.xml",
        "openvino_model.bin",
    }
    assert {p.name for p in tmp_path.iterdir()} == {"m.gguf", "out"}
    model = openvino.Core().read_model(tmp_path / "out" / "openvino_model.xml")
    reader = GGUFReader(path)
    stored_numbers = sum(int(tensor.n_elements) for tensor in reader.tensors)
    assert parameter_count(tmp_path / "out") == pytest.approx(stored_numbers, rel=0.15)
    for layer in range(LAYERS):
        for role, short in ROLES.items():
            held = weight_in_graph(model, f"model.layers.{layer}.{role}")
            stored = weight_in_file(reader, f"blk.{layer}.{short}.weight", architecture)
            error = np.linalg.norm(held - stored) / np.linalg.norm(stored)
            assert error < 1e-3, (layer, role, error)


def test_the_library_alone_would_damage_q4_1(tmp_path: Path) -> None:
    """If this fails, the library reads Q4_1 exactly now, and the repair can go."""
    import openvino_genai

    path = tiny_gguf(tmp_path / "m.gguf", quantization="Q4_1")
    openvino_genai.LLMPipeline(str(path), "CPU", enable_save_ov_model=True)
    model = openvino.Core().read_model(tmp_path / "openvino_model.xml")
    name_projections(model, LAYERS)
    held = weight_in_graph(model, "model.layers.0.mlp.up_proj")
    stored = weight_in_file(GGUFReader(path), "blk.0.ffn_up.weight", "llama")
    assert np.linalg.norm(held - stored) / np.linalg.norm(stored) > 0.02


def test_the_same_file_gives_the_same_model(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "m.gguf", quantization="Q4_1")
    for name in ("one", "two"):
        run_converter("chatapp.engine.openvino.ir", path, tmp_path / name, silently)
    for file in ("openvino_model.xml", "openvino_model.bin"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_q4_k_scales_and_minima_are_the_format_s() -> None:
    random = np.random.default_rng(3)
    blocks = random.integers(0, 256, (5, 2, 144), dtype=np.uint8)
    blocks[..., :4] = random.uniform(0.01, 0.1, (5, 2, 2)).astype(np.float16).view(np.uint8)
    scales, minima = _q4_k(blocks)
    nibbles = blocks[..., 16:].reshape(5, 2, 4, 1, 32) >> np.array([0, 4], np.uint8).reshape(2, 1)
    codes = (nibbles & 15).reshape(5, 16, 32).astype(np.float32)
    weights = scales[..., None] * codes + minima[..., None]
    expected = quants.dequantize(blocks.reshape(5, 288), GGMLQuantizationType.Q4_K)
    np.testing.assert_allclose(weights.reshape(5, 512), expected, rtol=1e-6)


def test_a_group_of_equal_weights_keeps_its_value(tmp_path: Path) -> None:
    class Flat(TinyModel):
        def weights(self) -> dict[str, np.ndarray]:
            tensors = TinyModel.weights(self)
            tensors["model.layers.0.mlp.up_proj.weight"][:, :32] = 0.5
            return tensors

    path = tiny_gguf(tmp_path / "m.gguf", Flat(), "Q4_1")
    convert(path, tmp_path / "out", silently)
    model = openvino.Core().read_model(tmp_path / "out" / "openvino_model.xml")
    held = weight_in_graph(model, "model.layers.0.mlp.up_proj")
    np.testing.assert_allclose(held[:, :32], 0.5, rtol=1e-3)


def header(path: Path, architecture: str, **more: object) -> GGUFWriter:
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(1)
    for key, value in more.items():
        writer.add_string(f"{architecture}.{key.replace('_', '.', 2)}", str(value))
    return writer


def finish(writer: GGUFWriter, kind: GGMLQuantizationType = GGMLQuantizationType.F16) -> None:
    matrix = np.ones((32, 64), np.float32)
    writer.add_tensor("blk.0.attn_q.weight", quants.quantize(matrix, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def refusal(path: Path, out: Path) -> str:
    with pytest.raises(ModelError) as refused:
        convert(path, out, silently)
    assert not out.exists()
    return refused.value.sentence


def test_another_architecture_is_named(tmp_path: Path) -> None:
    finish(header(tmp_path / "m.gguf", "gemma3"))
    sentence = refusal(tmp_path / "m.gguf", tmp_path / "out")
    assert "gemma3" in sentence
    assert "llama, qwen2 and qwen3" in sentence


def test_another_tensor_type_is_named(tmp_path: Path) -> None:
    finish(header(tmp_path / "m.gguf", "llama"), gguf.GGMLQuantizationType.Q5_1)
    sentence = refusal(tmp_path / "m.gguf", tmp_path / "out")
    assert "Q5_1" in sentence
    assert "Q8_0" in sentence


def test_scaled_positions_are_refused(tmp_path: Path) -> None:
    finish(header(tmp_path / "m.gguf", "llama", rope_scaling_type="linear"))
    assert "RoPE" in refusal(tmp_path / "m.gguf", tmp_path / "out")


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"not a model")
    assert "m.gguf" in refusal(tmp_path / "m.gguf", tmp_path / "out")
    assert "nowhere" in refusal(tmp_path / "nowhere.gguf", tmp_path / "out")


def test_missing_projections_are_named(tmp_path: Path) -> None:
    convert(tiny_gguf(tmp_path / "m.gguf"), tmp_path / "out", silently)
    model = openvino.Core().read_model(tmp_path / "out" / "openvino_model.xml")
    with pytest.raises(ModelError, match=r"model\.layers\.2\.mlp\.down_proj.* and 4 more"):
        name_projections(model, LAYERS + 1)


def test_it_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    shares: list[float | None] = []
    run_converter(
        "chatapp.engine.openvino.ir",
        tiny_gguf(tmp_path / "m.gguf"),
        tmp_path / "out",
        lambda step, share: shares.append(share),
    )
    assert shares == sorted(shares, key=lambda share: share or 0)
    assert shares[-1] == 1
    assert (tmp_path / "out" / "openvino_model.bin").is_file()
    finish(header(tmp_path / "g.gguf", "gemma3"))
    with pytest.raises(ModelError, match="gemma3"):
        run_converter("chatapp.engine.openvino.ir", tmp_path / "g.gguf", tmp_path / "o2", silently)


def test_unpermuted_rows_follow_the_head_count_of_keys(tmp_path: Path) -> None:
    weights = GGUFWeights.read(tiny_gguf(tmp_path / "m.gguf", quantization="Q4_1"))
    rows, columns = weights.shape("blk.0.attn_k.weight")
    exact = weights.scales_and_minima("blk.0.attn_k.weight")
    assert exact is not None
    assert exact[0].shape == (rows, columns // 32)
    assert weights.scales_and_minima("token_embd.weight") is None
