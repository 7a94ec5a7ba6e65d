"""The worker process, seen from the app: start it, talk to it, end it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import psutil

import chatapp
from chatapp.engine.openvino.protocol import Options

_LINE_LIMIT = 1 << 24
"""Most bytes of one line: one step's tokens of every request."""

_PATIENCE = 5.0
"""Seconds that the worker has to end by itself."""


class WorkerProcess:
    """One child process that speaks the protocol of ``chatapp.engine.openvino.protocol``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def spawn(cls, options: Options) -> WorkerProcess:
        """Start it; it says nothing until it is asked to open a lane."""
        # The package need not lie in the current folder.
        places = [str(Path(chatapp.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "chatapp.engine.openvino.worker",
            json.dumps(options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def say(self, command: Mapping[str, object]) -> None:
        """Send one command. To a dead worker this does nothing: the end of ``messages`` says so."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def messages(self) -> AsyncIterator[dict[str, object]]:
        """What it says, until it dies."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if line.endswith(b"\n"):  # not cut off by its death
                yield json.loads(line)

    def memory_bytes(self) -> int:
        """Its resident set; 0 when it is gone."""
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    async def end(self) -> None:
        """Close its input, which ends it; kill it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        finally:
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()
