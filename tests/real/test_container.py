"""The Dockerfile without a container engine: what it copies, run by the user it names."""

from __future__ import annotations

import json
import os
import re
import shutil
import site
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.conftest import ROOT

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

USER = 1000
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def python_for_everybody() -> str | None:
    """An interpreter of this version that another user may run; root's own may lie in its home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run([candidate, "-c", ""], user=USER, check=True, timeout=20)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    return None


@pytest.fixture
def home(bundled_data: Path) -> Iterator[Path]:
    """An empty home of user 1000 with what the image holds, and weights in its data volume."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app"
        app.mkdir()
        for source, target in re.findall(r"^COPY --chown=1000:1000 (\S+) (\S+)$", DOCKERFILE, re.M):
            if (ROOT / source).is_dir():
                shutil.copytree(
                    ROOT / source, app / target, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(ROOT / source, app / target)
        weights = shutil.ignore_patterns("dense", "*.gguf")
        shutil.copytree(bundled_data / "models", app / "data" / "models", ignore=weights)
        for path in [Path(folder), *Path(folder).rglob("*")]:
            os.chown(path, USER, USER)
        yield app


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run something as another user")
def test_the_image_s_files_serve_as_user_1000(home: Path) -> None:
    python = python_for_everybody()
    if python is None:
        pytest.skip(f"no Python {sys.version_info[:2]} that another user may run")
    command = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.M)[1])  # type: ignore[index]
    variables = dict(re.findall(r"^ENV (CHATAPP_\w+)=(\S+)$", DOCKERFILE, re.M))
    with subprocess.Popen(
        [python if word == "python" else word for word in command],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home.parent),
            "PYTHONPATH": os.pathsep.join(site.getsitepackages()),
            "CHATAPP_PORT": "0",
            **variables,
        },
        cwd=home,
        user=USER,
        group=USER,
        extra_groups=[],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            log: list[str] = []
            for line in process.stdout:
                log.append(line)
                if line.startswith("Open http"):
                    break
            assert log, "it said nothing"
            assert log[-1].startswith("Open http"), "".join(log)
            with urllib.request.urlopen(f"{log[-1].split()[1]}/readyz", timeout=10) as ready:
                assert ready.status == 200
        finally:
            process.kill()
    assert (home / "data" / "chatapp.db").stat().st_uid == USER


def test_a_change_of_code_does_not_install_torch_again() -> None:
    packages = DOCKERFILE.index("pip install")
    assert DOCKERFILE.index("COPY --chown=1000:1000 requirements.txt") < packages
    assert packages < DOCKERFILE.index("COPY --chown=1000:1000 chatapp")
