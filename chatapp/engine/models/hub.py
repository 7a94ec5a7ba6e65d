"""Downloads a model from the Hugging Face hub: only what will be loaded, and never a pickle.

``python -m chatapp.engine.models.hub ORG/NAME OUT``,
in a process of its own, so that Ctrl-C ends it at
once. An interrupted download goes on where it stopped. ``HF_TOKEN`` and ``HF_ENDPOINT`` are read
by the library.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils.tqdm import disable_progress_bars

from chatapp.engine.models.conversion import Progress, serve_converter
from chatapp.engine.models.folder import bytes_under, require_space
from chatapp.errors import ModelError

_SMALL = (".json", ".jinja", ".txt", ".model")
"""Configuration and vocabulary."""

_GGUF_ORDER = ("Q4_K_M", "Q8_0", "Q4_0", "Q6_K", "F16")
"""Of several GGUF files, the first of these is taken: small first, all of them read exactly."""


def convert(source: Path, out: Path, report: Progress) -> None:
    """Download the hub repository whose id is ``source`` (``org/name``) into ``out``.

    Raises:
        ModelError: no network, no such repository, no access, no usable weights, no space.
    """
    repository = source.as_posix()
    disable_progress_bars()
    report(f"Looking up {repository}", 0.0)
    try:
        revision, sizes = _list(repository)
        names = choose(repository, sizes)
        _download(repository, revision, {name: sizes[name] for name in names}, out, report)
    except (httpx2.HTTPError, OSError) as error:
        raise ModelError(_sentence(repository, error)) from error


def choose(repository: str, sizes: Mapping[str, int]) -> list[str]:
    """The files to download, of all files in a repository and their sizes in bytes.

    Raises:
        ModelError: none of them holds weights that can be loaded.
    """
    top = [name for name in sizes if "/" not in name]
    small = [name for name in top if name.endswith(_SMALL)]
    weights = [name for name in top if name.endswith(".safetensors")]
    # Mistral's repositories hold everything twice.
    weights = [name for name in weights if not name.startswith("consolidated")] or weights
    if weights:
        return small + weights
    if "openvino_model.xml" in top:
        return [*small, "openvino_model.xml", "openvino_model.bin"]
    ggufs = [name for name in top if name.lower().endswith(".gguf") and "-of-0" not in name]
    for kind in _GGUF_ORDER:
        if chosen := [name for name in ggufs if kind in name.upper()]:
            return [min(chosen, key=len)]
    if ggufs:
        return [min(ggufs, key=sizes.__getitem__)]
    raise ModelError(
        f"{repository} has no safetensors, OpenVINO or single-file GGUF weights. Pickled weights "
        "(.bin, .pt) are never loaded, because they can run any code. Choose another CHATAPP_MODEL."
    )


def _list(repository: str) -> tuple[str, dict[str, int]]:
    """The newest commit, and its files with their sizes in bytes."""
    info = HfApi().model_info(repository, files_metadata=True)
    files = {file.rfilename: file.size or 0 for file in info.siblings or []}
    return info.sha or "main", files


def _download(
    repository: str, revision: str, sizes: Mapping[str, int], out: Path, report: Progress
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    total = max(1, sum(sizes.values()))
    require_space(out, max(0, total - bytes_under(out)), f"Downloading {repository}")
    with ThreadPoolExecutor(1) as pool:
        download = pool.submit(
            snapshot_download,
            repository,
            revision=revision,
            local_dir=out,
            allow_patterns=list(sizes),
        )
        while not download.done():
            report(f"Downloading {repository}", min(1.0, bytes_under(out) / total))
            wait([download], timeout=0.5)
        download.result()


def _sentence(repository: str, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk became full while {repository} was downloaded. Free some space."
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if isinstance(error, GatedRepoError) or status in (401, 403):
        return (
            f"The hub does not let us read {repository}. It may be private or ask you to accept "
            "its terms: do so on its page at huggingface.co, then set HF_TOKEN to a token of "
            "yours. A misspelt name gives the same answer."
        )
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"There is no model {repository} on the hub. Check the spelling; for a private model "
            "set HF_TOKEN."
        )
    reason = str(error).strip().splitlines()
    return (
        f"{repository} could not be downloaded from the model hub "
        f"({reason[0] if reason else type(error).__name__}). Check the network and start again: "
        "what is already there is kept. CHATAPP_MODEL=bundled needs no hub."
    )


if __name__ == "__main__":
    sys.exit(serve_converter(convert, sys.argv[1:]))
