"""A throw-away PostgreSQL server, where its programs are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, which Debian keeps out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class Postgres:
    """Listens on a free port of this machine until ``stop``."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        # Not pytest's own folder: only its owner may enter that one.
        self._folder = Path(tempfile.mkdtemp(prefix="chatapp-postgres-"))
        self._data = self._folder / "data"
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            # The server refuses to run as root; its package brings a user.
            self._as_user = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self._folder, "postgres")
        self._run("initdb", "-D", self._data, "-U", "tester", "-A", "trust", "-E", "UTF8", "-N")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = f"-p {port} -h 127.0.0.1 -k {self._folder} -c fsync=off"
        log = self._folder / "server.log"
        self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "-t", "60", "-o", options, "start")
        self.url = f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [*self._as_user, str(self._bin / program), *map(str, arguments)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=120,
        )
