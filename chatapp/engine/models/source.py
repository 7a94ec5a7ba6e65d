"""Understands ``CHATAPP_MODEL``: what it names, and which engines can run that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chatapp.engine.models import bundled
from chatapp.engine.models.gguf_header import GGUFHeader, read_header
from chatapp.errors import ModelError

Kind = Literal["bundled", "hub", "gguf", "openvino", "hf"]
LocalEngine = Literal["openvino", "transformers"]

GGUF_ARCHITECTURES = ("llama", "qwen2", "qwen3")
_OPENVINO_KINDS = frozenset({"F16", "Q8_0", "Q6_K", "Q4_0", "Q4_1", "Q4_K"})
"""What OpenVINO's GGUF reader knows."""

_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """Where weights come from.

    Attributes:
        name: shown to people.
        path: the file or folder; None for the bundled model and a hub id.
    """

    kind: Kind
    name: str
    path: Path | None = None


def resolve(model: str) -> ModelSource:
    """Understand ``bundled``, a hub id (``org/name``), a GGUF file or a local folder.

    Raises:
        ModelError: there is no such file, or nothing in it can be loaded.
    """
    if model == "bundled":
        return ModelSource(kind="bundled", name=bundled.NAME)
    path = Path(model).expanduser()
    if path.is_file():
        return _resolve_gguf(path)
    if path.is_dir():
        return resolve_folder(path)
    if _HUB_ID.fullmatch(model) and path.suffix.lower() != ".gguf":
        return ModelSource(kind="hub", name=model)
    raise ModelError(
        f"CHATAPP_MODEL is {model}, but there is no such file or folder. Set it to bundled, to a "
        "hub id like HuggingFaceTB/SmolLM2-1.7B-Instruct, or to a folder or GGUF file that exists."
    )


def engines_for(source: ModelSource) -> tuple[LocalEngine, ...]:
    """The engines that can run a local model; on a CPU the first is the faster one.

    Raises:
        ModelError: a GGUF of a family that is not supported.
    """
    match source.kind, source.path:
        case "bundled", _:
            return ("openvino", "transformers")
        case "openvino", _:
            return ("openvino",)
        case "hf", _:
            return ("transformers",)
        case "gguf", Path() as path:
            return gguf_engines(read_header(path))
        case _:
            raise ValueError("a hub id is fetched before it is asked what can run it")


def gguf_engines(header: GGUFHeader) -> tuple[LocalEngine, ...]:
    """The engines that can run a GGUF file, by what its header says.

    Raises:
        ModelError: a family that is not supported.
    """
    if header.architecture not in GGUF_ARCHITECTURES or header.integer("expert_count", 0):
        raise ModelError(
            f"{header.path} holds a model of the family {header.architecture or 'unknown'}; GGUF "
            f"files of plain {', '.join(GGUF_ARCHITECTURES)} models can be used. Choose the "
            "model's safetensors or OpenVINO version instead."
        )
    scaling = header.metadata.get(f"{header.architecture}.rope.scaling.type", "none")
    stretched = any(tensor.name == "rope_freqs.weight" for tensor in header.tensors)
    if header.matrix_kinds <= _OPENVINO_KINDS and scaling == "none" and not stretched:
        return ("openvino", "transformers")
    return ("transformers",)


def _resolve_gguf(path: Path) -> ModelSource:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(
                f"{path} is not a GGUF file. Set CHATAPP_MODEL to a GGUF file, or to the folder "
                "that holds the model's safetensors or openvino_model.xml."
            )
    return ModelSource(kind="gguf", name=path.stem, path=path.resolve())


def resolve_folder(path: Path) -> ModelSource:
    """Find the model in a folder.

    Raises:
        ModelError: there is none, or it is pickled.
    """
    path = path.resolve()
    if (path / "openvino_model.xml").is_file():
        return ModelSource(kind="openvino", name=path.name, path=path)
    if any(path.glob("*.safetensors")):
        return ModelSource(kind="hf", name=path.name, path=path)
    ggufs = sorted(path.glob("*.gguf"))
    if len(ggufs) == 1:
        return _resolve_gguf(ggufs[0])
    if ggufs:
        names = ", ".join(file.name for file in ggufs)
        raise ModelError(f"{path} holds several GGUF files: set CHATAPP_MODEL to one of {names}.")
    if any(next(path.glob(pattern), None) for pattern in _PICKLES):
        raise ModelError(
            f"{path} holds its weights as pickle files, which can run any code when they are "
            "loaded and are never opened here. Use the model's safetensors version."
        )
    raise ModelError(
        f"{path} holds no model: no openvino_model.xml, no safetensors and no GGUF file. Check "
        "CHATAPP_MODEL."
    )
