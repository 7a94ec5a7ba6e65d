"""Starts the process of a run, so that it outlives whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import chatapp
from chatapp.training.run import locks
from chatapp.training.run.child import WORKER
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog


def launch(folder: RunFolder, turn: int, threads: int, worker: str = WORKER) -> bool:
    """Start the process of a queued run.

    Args:
        turn: a handle of the lock that lets one run at a time work; the process gets it, and
            this one may close it afterwards.

    Returns:
        False where another process works on the run already.

    Raises:
        OSError: the process cannot be started, e.g. because the disk is full.
    """
    handle = locks.take(folder.lock)
    if handle is None:
        return False
    try:
        # From here on a process that dies without a word is shown as that, and not started again.
        RunLog(folder).begin()
        with folder.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "chatapp.training.run.child", str(folder.path)),
                    *("--threads", str(threads), "--worker", worker),
                    *("--held", str(handle), str(turn)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                pass_fds=(handle, turn),
                start_new_session=True,
            )
    finally:
        os.close(handle)
    # Whoever started it takes note of its end, so that no zombie stays.
    threading.Thread(target=process.wait, daemon=True, name=f"run {folder.id}").start()
    return True


def environment() -> dict[str, str]:
    """Without the app's settings: some are secrets, and none concerns the run."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CHATAPP_")}
    # The package need not lie in the current folder.
    places = [str(Path(chatapp.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    return kept
