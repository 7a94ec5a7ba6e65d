"""Starts a contender's process, waits until it answers, and weighs it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

START_SECONDS = 300


class StartFailed(Exception):
    """The process ended, or never answered; the text is the end of its log."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@asynccontextmanager
async def running(
    command: Sequence[str], env: Mapping[str, str], *, piped: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, in a group of its own that is gone afterwards; its log is a temporary file."""
    pipe = asyncio.subprocess.PIPE if piped else asyncio.subprocess.DEVNULL
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=os.environ | env,
            stdin=pipe,
            stdout=asyncio.subprocess.PIPE if piped else log,
            stderr=log,
            start_new_session=True,
            limit=64 * 1024 * 1024,
        )
        try:
            yield process
        except StartFailed as error:
            raise StartFailed(f"{error}: {_tail(log.name)}") from None
        finally:
            await _end(process)


def _tail(log: str) -> str:
    return " | ".join(Path(log).read_text(errors="replace").strip().splitlines()[-3:])


async def _end(process: asyncio.subprocess.Process) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            await asyncio.wait_for(process.wait(), 15)
        except ProcessLookupError:
            return
        except TimeoutError:
            continue


async def answering(process: asyncio.subprocess.Process, port: int, path: str) -> None:
    """Wait until a GET of ``path`` is answered with 200.

    Raises:
        StartFailed: the process ended, or did not answer within ``START_SECONDS``.
    """
    for _ in range(START_SECONDS * 5):
        if process.returncode is not None:
            raise StartFailed(f"it ended with status {process.returncode}")
        if await _status(port, path) == 200:
            return
        await asyncio.sleep(0.2)
    raise StartFailed(f"it did not answer within {START_SECONDS} seconds")


async def _status(port: int, path: str) -> int:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return 0
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        line = (await reader.readline()).split()
        return int(line[1]) if len(line) > 1 else 0
    except OSError:
        return 0
    finally:
        writer.close()


class Scales:
    """Watches the memory of a process and all its children."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self.peak = 0
        """Most bytes so far: the proportional set size where the system tells it (memory that
        processes share counts once), else the resident set size."""

    async def watch(self) -> None:
        """Weigh four times a second, until cancelled."""
        while True:
            self.peak = max(self.peak, self.weigh())
            await asyncio.sleep(0.25)

    def weigh(self) -> int:
        """Bytes held now."""
        total = 0
        for process in (self._root, *self._root.children(recursive=True)):
            try:
                memory = process.memory_full_info()
                total += getattr(memory, "pss", memory.rss)
            except psutil.NoSuchProcess:
                continue
        return total
