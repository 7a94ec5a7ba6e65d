"""A server that looks after runs, killed again and again at random moments, like its children.

Run as a program it is the server: it starts queued runs until it is killed.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from chatapp.training.run.folder import RunFolder
from chatapp.training.run.queue import RunQueue
from tests.unit.training.run.runs import WORKER, a_queue, kill, processes, until

KILLS = 10
CHILD = "chatapp.training.run.child"


class Server:
    """The server's process, as far as runs go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", __name__, str(self._folder)])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def killed_once(queue: RunQueue, server: Server, run: RunFolder, chance: random.Random) -> str:
    """Wait until the run works, and some more; then kill something, and look whether what is
    shown is true.

    Returns:
        What was killed.
    """
    until(lambda: run.alive and run.state.status in ("running", "done"))
    time.sleep(chance.uniform(0, 0.15))
    victims = chance.choice(["worker", "child", "both", "server", "everything"])
    if victims in ("server", "everything"):
        server.kill()
        server.start()
    found = [
        process
        for module, names in (
            (CHILD, ("child", "both", "everything")),
            (WORKER, ("worker", "both", "everything")),
        )
        if victims in names
        for process in processes(run, module)
    ]
    for process in found:
        kill(process)
    if victims in ("both", "everything"):
        until(lambda: not run.alive)
    if victims == "worker":
        until(lambda: not run.alive)
    state = run.state
    assert (state.status == "interrupted") == (not run.alive and state.status != "done")
    if state.status == "interrupted":
        assert "Resume" in state.reason
        queue.resume(run)
    return victims


def main(folder: Path) -> None:
    queue = a_queue(folder)
    while True:
        queue.start_next()
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
