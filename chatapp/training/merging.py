"""Adds an adapter to its base for good: one dense model out of two folders.

    python -m chatapp.training.merging BASE ADAPTER OUT

A process of its own, as it holds the whole model in memory for a moment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import chatapp
from chatapp.errors import TrainingError

_TOKENIZER = ("tokenizer*", "chat_template*", "special_tokens_map.json", "*.model", "vocab*")


def run_merge(base: Path, adapter: Path, out: Path) -> None:
    """Write the merged model into ``out``, which is empty.

    Raises:
        TrainingError: the adapter does not fit, or the machine refused.
    """
    done = subprocess.run(
        [sys.executable, "-m", "chatapp.training.merging", base, adapter, out],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise TrainingError(
            f"{adapter.name} could not be merged into {base.name}: {said}. Check that there is "
            "memory for the whole model, and that the adapter belongs to it."
        )


def merge(base: Path, adapter: Path, out: Path) -> None:
    """The same in this process. ``safe_merge`` refuses weights that would become NaN."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        base, dtype="auto", local_files_only=True, use_safetensors=True
    )
    if model.dtype in (torch.float16, torch.bfloat16):
        # The sum is rounded once, at the end.
        stored = model.dtype
        merged = PeftModel.from_pretrained(model.float(), str(adapter)).merge_and_unload(
            safe_merge=True
        )
        merged = merged.to(stored)
    else:
        merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    merged.save_pretrained(out, safe_serialization=True)
    for pattern in _TOKENIZER:
        for path in base.glob(pattern):
            shutil.copy(path, out)


def _environment() -> dict[str, str]:
    """Ours, and the way to this package, which need not be the current folder."""
    places = [str(Path(chatapp.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}


if __name__ == "__main__":
    merge(*map(Path, sys.argv[1:4]))
