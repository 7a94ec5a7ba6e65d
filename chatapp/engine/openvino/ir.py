"""Turns a GGUF file into a folder that the OpenVINO engine serves.

OpenVINO GenAI reads the GGUF and saves its model; that model is then put right in two ways:

* The library rounds the zero points of Q4_1 and Q4_K weights to whole numbers, which adds about
  8% error to every weight. They are replaced by half-precision ones computed from the file.
* The library's projections have no names. They are found by their place in the graph and named
  as PEFT names them, so that a LoRA adapter finds them.

``python -m chatapp.engine.openvino.ir GGUF OUT`` does it in a process of its own, which gives
its memory back; ``chatapp.engine.models.conversion`` says how it reports.
"""

from __future__ import annotations

import sys
from pathlib import Path

import openvino
import openvino_genai

from chatapp.engine.models.conversion import Progress, serve_converter
from chatapp.engine.openvino.gguf import GGUFWeights
from chatapp.engine.openvino.graph import name_projections, repair_zero_points
from chatapp.engine.openvino.reason import reason
from chatapp.errors import ModelError

MODEL_FILE = "openvino_model.xml"


def convert(gguf: Path, out: Path, report: Progress) -> None:
    """Write ``openvino_model.xml`` and ``.bin`` into the folder ``out``; touch nothing else.

    Args:
        gguf: a llama, qwen2 or qwen3 model in F16, Q8_0, Q6_K, Q4_0, Q4_1 or Q4_K_M.
        out: is made if it is not there. Tokens come from ``tokenizer.json``, so that no OpenVINO
            tokenizer is kept.
        report: told what is being done, and the share of the work that is behind, 0 to 1.

    Raises:
        ModelError: the file cannot be read, or is of a kind that OpenVINO does not support.
    """
    report("Checking the weights", 0.0)
    weights = GGUFWeights.read(gguf)
    weights.check_supported()
    out.mkdir(parents=True, exist_ok=True)
    report("Reading the weights", 0.05)
    raw = _read_with_library(gguf, out)
    report("Repairing and naming the weights", 0.7)
    model = openvino.Core().read_model(raw)
    projections = name_projections(model, weights.layers)
    repair_zero_points(model, projections, weights)
    report("Saving the model", 0.85)
    openvino.save_model(model, out / MODEL_FILE, compress_to_fp16=False)
    del model  # it maps the file that is deleted next
    for leftover in raw.parent.iterdir():
        leftover.unlink()
    raw.parent.rmdir()
    report("Ready", 1.0)


def _read_with_library(gguf: Path, out: Path) -> Path:
    """Let the library read ``gguf`` and save its model; it always saves beside the file it reads,
    so it is shown a link in a folder of our own."""
    folder = out / "raw"
    folder.mkdir()
    link = folder / "model.gguf"
    link.symlink_to(gguf.resolve())
    try:
        openvino_genai.LLMPipeline(str(link), "CPU", enable_save_ov_model=True)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot read {gguf.name}: {reason(error)}") from error
    return folder / MODEL_FILE


if __name__ == "__main__":
    sys.exit(serve_converter(convert, sys.argv[1:]))
