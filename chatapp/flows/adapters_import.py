"""Somebody's adapter, taken in from a folder or a ZIP file that nobody trusts.

Only the files that an adapter is made of are read, by their own names and into a folder of our own,
so nothing in an archive decides where something is written. Pickle files are refused: loading one
can run any code.
"""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from chatapp.engine.models.weights import Shapes, file_shapes
from chatapp.errors import DatasetError, InvalidRequest, ModelError, StorageError
from chatapp.flows.adapters_files import BASE_FILE
from chatapp.training_records import AdapterKind, Slot

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
LABELS: Final = "labels.json"

_MOST_BYTES: Final = 4 * 2**30
"""Unpacked; a large adapter of a large model has about 2 GB."""
_MOST_ENTRIES: Final = 2_000
_LARGEST_CONFIG: Final = 8 * 2**20
"""A hundred thousand labels are 2 MB."""
_BLOCK: Final = 2**20
_PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
_HARMLESS: Final = (".json", ".safetensors")
"""What a classifier's folder holds; everything else is left behind."""

Opened = Mapping[str, Callable[[], IO[bytes]]]
"""Ways to read each file, by its name inside the adapter's folder."""


def unpack(path: Path, draft: Path, slot: Slot) -> None:
    """Copy what makes an adapter from a folder or a ZIP file into ``draft``.

    Raises:
        InvalidRequest: it is not an adapter for this slot, or holds pickle files only.
        DatasetError: the archive is damaged, encrypted, or a bomb.
        StorageError: the file cannot be read.
    """
    try:
        with _opened(path) as files:
            what = "The folder" if path.is_dir() else "The archive"
            for name in _wanted(files, what, slot):
                _copy(files[name], draft / name, what)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DatasetError(
            f"The archive cannot be unpacked: {error}. Pack the folder again, as a ZIP file "
            "without a password."
        ) from error
    except OSError as error:
        raise StorageError(f"The file cannot be read: {error.strerror or error}.") from error


def check_chat_adapter(folder: Path, shapes: Shapes | None) -> AdapterKind:
    """What kind of chat adapter a folder holds.

    Args:
        folder: with PEFT's two files.
        shapes: of the base's weights; None where they are not at hand.

    Raises:
        InvalidRequest: it is another kind of thing, or belongs to another model.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidRequest(f"{CONFIG} is not valid JSON: {error}.") from error
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if not isinstance(kind, str):
        raise InvalidRequest(f"{CONFIG} does not say its peft_type, so it is no PEFT adapter.")
    if config.get("task_type") not in (None, "CAUSAL_LM"):
        raise InvalidRequest(
            f"{CONFIG} is of task {config['task_type']}, but an adapter for the chat is CAUSAL_LM."
        )
    try:
        tensors = file_shapes(folder / WEIGHTS)
    except ModelError as error:
        raise InvalidRequest(error.sentence) from error
    if kind in ("PROMPT_TUNING", "PREFIX_TUNING", "P_TUNING"):
        return "prompt"
    if shapes is not None:
        _check_shapes(tensors, shapes)
    return "lora"


def _check_shapes(tensors: Shapes, base: Shapes) -> None:
    """Each ``lora_A`` reads what its layer reads, each ``lora_B`` writes what its layer writes."""
    for name, shape in tensors.items():
        module, found, part = name.removeprefix("base_model.model.").partition(".lora_")
        if not found or part not in ("A.weight", "B.weight") or len(shape) != 2:
            continue  # the engine says whether it serves such a thing
        weight = base.get(f"{module}.weight")
        if weight is None or len(weight) != 2:
            raise InvalidRequest(
                f"The adapter changes {module}, which the chat's model does not have. It was "
                "trained on another model."
            )
        mine, theirs = (shape[1], weight[1]) if part == "A.weight" else (shape[0], weight[0])
        if mine != theirs:
            raise InvalidRequest(
                f"The adapter has {mine:,} values for {module}, the chat's model has {theirs:,}. "
                "It was trained on another model."
            )


@contextmanager
def _opened(path: Path) -> Iterator[Opened]:
    if path.is_dir():
        yield _in_folder(path)
    elif path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield _in_archive(archive)
    elif path.is_file():
        raise InvalidRequest(
            f"This is neither a folder nor a ZIP file. An adapter is a folder with {CONFIG} and "
            f"{WEIGHTS}, or such a folder as a ZIP file."
        )
    else:
        raise InvalidRequest(f"There is no {path}.")


def _in_folder(path: Path) -> Opened:
    places = [path, *sorted(one for one in path.iterdir() if one.is_dir())]
    root = next((one for one in places if _is_root(one)), path)
    return {
        one.name: lambda one=one: one.open("rb")  # type: ignore[misc]  # bound at once
        for one in sorted(root.iterdir())
        if one.is_file()
    }


def _is_root(folder: Path) -> bool:
    return (folder / CONFIG).is_file() or (folder / LABELS).is_file()


def _in_archive(archive: zipfile.ZipFile) -> Opened:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > _MOST_ENTRIES:
        raise DatasetError(
            f"The archive holds {len(entries):,} files, but an adapter has a handful. Pack its "
            "folder alone."
        )
    roots = sorted(
        (len(path.parts), str(path.parent))
        for entry in entries
        if (path := PurePosixPath(entry.filename)).name in (CONFIG, LABELS)
    )
    root = roots[0][1] if roots else "."
    return {
        path.name: lambda entry=entry: archive.open(entry)  # type: ignore[misc]  # bound at once
        for entry in entries
        if str((path := PurePosixPath(entry.filename)).parent) == root
    }


def _wanted(files: Opened, what: str, slot: Slot) -> list[str]:
    pickles = [one for one in files if one.lower().endswith(_PICKLES)]
    if slot != "chat":
        if LABELS not in files:
            raise InvalidRequest(
                f"{what} holds no {LABELS}, so it is no classifier that was exported here."
            )
        return [one for one in files if one.lower().endswith(_HARMLESS)]
    if WEIGHTS not in files and pickles:
        raise InvalidRequest(
            f"{what} holds its weights as {pickles[0]}, a pickle file, which can run any code when "
            "it is loaded and is never opened here. Save the adapter as safetensors "
            "(safe_serialization=True)."
        )
    for needed in (CONFIG, WEIGHTS):
        if needed not in files:
            raise InvalidRequest(
                f"{what} holds no {needed}. An adapter is a folder with {CONFIG} and {WEIGHTS}."
            )
    return [one for one in (CONFIG, WEIGHTS, BASE_FILE) if one in files]


def _copy(open_: Callable[[], IO[bytes]], target: Path, what: str) -> None:
    """Unpacked sizes are counted as they come: what an archive says of itself may be a lie."""
    most = _MOST_BYTES if target.suffix == ".safetensors" else _LARGEST_CONFIG
    taken = 0
    with open_() as source, target.open("wb") as file:
        while block := source.read(_BLOCK):
            taken += len(block)
            if taken > most:
                raise DatasetError(
                    f"{what} holds {target.name} with more than {most / 2**20:,.0f} MB, which no "
                    "adapter needs."
                )
            if taken > shutil.disk_usage(target.parent).free:
                raise StorageError("The disk is too full for this adapter. Free some space.")
            file.write(block)
