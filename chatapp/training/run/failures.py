"""From what went wrong in a run to the sentence that its reader sees."""

from __future__ import annotations

import errno
import logging
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from chatapp.errors import ChatAppError

log = logging.getLogger(__name__)

_NEARLY_FULL = 16 * 1024**2
_FULL = (errno.ENOSPC, errno.EDQUOT)

_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "failed to allocate memory",
    "cannot allocate memory",
    "std::bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch may help. torch says it in many ways, most of them a RuntimeError."""
    return any(
        isinstance(one, MemoryError)
        or type(one).__name__ == "OutOfMemoryError"
        or (isinstance(one, OSError) and one.errno == errno.ENOMEM)
        or (isinstance(one, RuntimeError) and any(word in str(one).lower() for word in _NO_MEMORY))
        for one in _chain(error)
    )


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether there was no room to write. Writers in other languages lose the error's number, and
    torch's says nothing but that a file came out too short."""
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in _FULL:
            return True
        text = str(one).lower()
        if "no space left on device" in text or "disk quota exceeded" in text:
            return True
        if "inline_container" in text or "pytorchstreamwriter" in text:
            return shutil.disk_usage(folder).free < _NEARLY_FULL
    return False


def sentence(error: BaseException) -> str:
    """What is wrong and what to do. An unexpected error is logged under a reference."""
    if isinstance(error, ChatAppError):
        return error.sentence
    reference = secrets.token_hex(3)
    log.error("The run failed (reference %s)", reference, exc_info=error)
    return (
        f"Something went wrong on our side (reference {reference}): {type(error).__name__}. The "
        "run's log has the details. Resume it from its last checkpoint, or start a new one with "
        "other settings."
    )


def disk_full(folder: Path, step: int) -> str:
    """The sentence for a full disk."""
    free = shutil.disk_usage(folder).free / 1e6
    after = f" after step {step:,}" if step else ""
    return (
        f"The disk with {folder.parent} became full{after} ({free:,.0f} MB are left). Free some "
        "space, then resume the run: it goes on from its last checkpoint."
    )


def out_of_memory(batch_size: int) -> str:
    """The sentence for a run that did not fit, also with a smaller batch."""
    examples = "a single example" if batch_size == 1 else f"{batch_size} examples"
    return (
        f"There is not enough memory to learn from {examples} at once. Start again with a smaller "
        "batch size or maximum length, with gradient checkpointing, or with a smaller base model."
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
