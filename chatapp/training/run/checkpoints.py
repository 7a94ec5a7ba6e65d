"""Which checkpoints can be gone on from: a process may be killed in the middle of writing one."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

_NAME = re.compile(r"checkpoint-(\d+)")
_HEADER_SIZE = 8


def newest_whole(folder: Path) -> Path | None:
    """The last checkpoint that was written to its end; None where there is none."""
    found = [(step_of(path), path) for path in folder.glob("checkpoint-*") if path.is_dir()]
    for _step, path in sorted(found, reverse=True):
        if is_whole(path):
            return path
    return None


def step_of(checkpoint: Path) -> int:
    """The step after which it was written; -1 for a folder of another name."""
    named = _NAME.fullmatch(checkpoint.name)
    return int(named[1]) if named else -1


def is_whole(checkpoint: Path) -> bool:
    """Whether nothing of it is missing. ``trainer_state.json`` is what the trainer writes last."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_bytes())
        return all(_is_complete(path) for path in checkpoint.iterdir() if path.is_file())
    except (OSError, ValueError):
        return False


def _is_complete(path: Path) -> bool:
    """As far as the format tells: both kinds of weight files say how long they are."""
    if path.suffix == ".safetensors":
        with path.open("rb") as file:
            size = int.from_bytes(file.read(_HEADER_SIZE), "little")
            if size > path.stat().st_size:
                return False
            header: dict[str, dict[str, list[int]]] = json.loads(file.read(size))
        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
        return path.stat().st_size == _HEADER_SIZE + size + max(ends, default=0)
    if path.suffix in (".pt", ".pth", ".bin") and path.name != "training_args.bin":
        return zipfile.is_zipfile(path)
    return True
