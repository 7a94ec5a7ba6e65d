"""Locks that go when their holder goes, however it goes; a process hands them to its children."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_PATIENCE = 0.1
_LOOK = 0.005


def take(path: Path, patience: float = _PATIENCE) -> int | None:
    """Hold a file; None where another process does.

    Args:
        patience: in seconds. Whoever only looks (``is_held``) holds it for a moment too, which
            has to be waited out.

    Returns:
        A handle: the lock is free once it is closed here and in every process that inherited it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                os.close(handle)
                return None
            time.sleep(_LOOK)
        else:
            return handle


def is_held(path: Path) -> bool:
    """Whether a process holds it."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
