"""The bundled model, prepared once for every test that asks it something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from chatapp.engine.models.prepare import PreparedModel, prepare, resolve

ROOT = Path(__file__).parents[2]
WHEELS = ROOT / ".cache" / "wheels"


def silent(_step: str, _share: float | None, /) -> None:
    """A report of progress that nobody reads."""


@pytest.fixture(scope="session")
def bundled_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the bundled model lies ready for every engine."""
    data = tmp_path_factory.mktemp("bundled")
    prepare(resolve("bundled"), data, {"dense", "openvino"}, silent, [WHEELS])
    return data


@pytest.fixture(scope="session")
def bundled_model(bundled_data: Path) -> PreparedModel:
    """The bundled model in that folder."""
    return prepare(resolve("bundled"), bundled_data, {"dense", "openvino"}, silent)


@dataclass
class RunningApp:
    """``python -m chatapp serve`` in a process of its own."""

    data: Path
    address: str = ""
    log: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it on a free port and wait until it says its address."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatapp", "serve"],
            env={**os.environ, "CHATAPP_DATA": str(self.data), "CHATAPP_PORT": self._port()},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line)
            if line.startswith("Open http"):
                self.address = line.split()[1]
                return
        raise AssertionError("the app did not start:\n" + "".join(self.log))

    def kill(self) -> None:
        """As ``kill -9`` or a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> int:
        """As Ctrl+C would; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)

    def processes(self) -> list[psutil.Process]:
        """The app's own process and all it started."""
        assert self.process is not None
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]

    def _port(self) -> str:
        """The same one after a restart: a browser comes back to the address it knows."""
        return self.address.rpartition(":")[2] if self.address else "0"


@pytest.fixture
def app(bundled_data: Path) -> Iterator[RunningApp]:
    """The app on the bundled model; its database is this test's own."""
    with suppress(FileNotFoundError):
        (bundled_data / "chatapp.db").unlink()
    running = RunningApp(bundled_data)
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.kill()
