"""Makes this process step back: the chat is answered first, and is the last to be killed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_NICENESS = 15
_SACRIFICE = 900
"""Of at most 1000: when memory runs out, Linux kills the highest first."""

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def step_back(niceness: int = _NICENESS) -> None:
    """Let every other process go first, as far as this system knows how.

    Args:
        niceness: how much; 19 is most.
    """
    with suppress(OSError):
        os.nice(niceness)
    # Where Linux shares the processor among sessions, niceness counts only within one.
    for name, value in (("autogroup", niceness), ("oom_score_adj", _SACRIFICE)):
        with suppress(OSError):
            (Path("/proc/self") / name).write_text(str(value))


def bounded(environment: dict[str, str], threads: int) -> dict[str, str]:
    """An environment in which libraries compute with so many threads, and draw no bars."""
    return {
        **environment,
        **dict.fromkeys(_THREAD_VARIABLES, str(threads)),
        # glibc would give large buffers back and have them zeroed again, many times a step: a
        # quarter of the time on two cores.
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TRIM_THRESHOLD_": str(2**32),
        "TOKENIZERS_PARALLELISM": "false" if threads == 1 else "true",
        "TQDM_DISABLE": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
    }
