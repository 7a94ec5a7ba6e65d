"""An adapter on its way out: as PEFT knows it, merged into its base, or as a model card."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from chatapp.errors import InvalidRequest, NotFound, StorageError
from chatapp.flows.adapters_card import model_card
from chatapp.flows.adapters_import import CONFIG
from chatapp.training.merging import run_merge
from chatapp.training_records import Adapter

What = Literal["peft", "merged", "card"]


def export(adapter: Adapter, what: What, target: Path, base: Path | None) -> None:
    """Write an adapter to ``target``, whole or not at all.

    Args:
        target: a ZIP file if it ends in ``.zip``, else a folder; for a card the text file.
        base: the base's dense weights; needed to merge.

    Raises:
        InvalidRequest: it cannot be merged, or ``target`` is in the way.
        NotFound: its files are gone.
        StorageError: the disk refused.
        TrainingError: merging failed.
    """
    folder = Path(adapter.folder)
    if what != "card" and not folder.is_dir():
        raise NotFound(f"The files of {adapter.name} are not at {folder} any more.")
    if what == "card":
        _whole(target, lambda draft: draft.write_text(model_card(adapter), encoding="utf-8"))
    elif what == "peft":
        _packed(target, lambda out: _peft(adapter, folder, out))
    else:
        merging = _mergeable(adapter, base)
        _packed(target, lambda out: _merged(adapter, merging, folder, out))


def _mergeable(adapter: Adapter, base: Path | None) -> Path:
    if adapter.kind != "lora":
        kind = "a classifier" if adapter.kind == "classifier" else "a prompt"
        raise InvalidRequest(
            f"{adapter.name} is {kind}, which cannot be merged into a model. Export it as it is."
        )
    if base is None:
        raise InvalidRequest(
            f"The weights of {adapter.base_model} do not lie here, so nothing can be merged into "
            "them. Export the adapter as it is, and merge it where its model is."
        )
    return base


def _peft(adapter: Adapter, folder: Path, out: Path) -> None:
    shutil.copytree(folder, out, dirs_exist_ok=True)
    (out / "README.md").write_text(model_card(adapter), encoding="utf-8")
    config = out / CONFIG
    if config.is_file():
        # A path of this machine is of no use elsewhere.
        said = json.loads(config.read_text(encoding="utf-8"))
        said["base_model_name_or_path"] = adapter.base_model
        config.write_text(json.dumps(said, indent=2), encoding="utf-8")


def _merged(adapter: Adapter, base: Path, folder: Path, out: Path) -> None:
    run_merge(base, folder, out)
    (out / "README.md").write_text(model_card(adapter), encoding="utf-8")


def _packed(target: Path, fill: Callable[[Path], None]) -> None:
    """A folder that ``fill`` fills, or a ZIP file of it."""
    if target.suffix.lower() != ".zip":
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InvalidRequest(f"{target} is there already. Name another place, or remove it.")

        def as_folder(draft: Path) -> None:
            draft.mkdir()
            fill(draft)
            if target.is_dir():
                target.rmdir()

        _whole(target, as_folder)
        return

    def as_archive(draft: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".draft-") as folder:
            fill(Path(folder))
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
                for path in sorted(Path(folder).rglob("*")):
                    archive.write(path, path.relative_to(folder))

    _whole(target, as_archive)


def _whole(target: Path, write: Callable[[Path], object]) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(draft)
        draft.replace(target)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror or error}. Free some space, or name "
            "another place."
        ) from error
    finally:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)
