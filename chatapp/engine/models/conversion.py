"""Runs a converter in a process of its own, which gives its memory back, and follows its progress.

A converter is a module run as ``python -m MODULE SOURCE OUT``. It prints one JSON object a line:
``{"step": text, "share": 0 to 1 or null}`` while it works and ``{"error": sentence}`` if it cannot.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import chatapp
from chatapp.errors import ChatAppError, ModelError


class Progress(Protocol):
    """Hears how far the work is."""

    def __call__(self, step: str, share: float | None, /) -> None:
        """``step`` is what is being done; ``share`` of it, 0 to 1, is behind (None: unknown)."""


def run_converter(module: str, source: Path, out: Path, report: Progress) -> None:
    """Have ``module`` convert ``source`` into the folder ``out``.

    Raises:
        ModelError: the converter's own sentence, or how it ended.
    """
    command = [sys.executable, "-m", module, str(source), str(out)]
    problem: str | None = None
    # Standard error goes to a file: a pipe that nobody reads would fill and stop the converter.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=noise, text=True, env=_environment()
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                message = _message(line)
                if "error" in message:
                    problem = str(message["error"])
                elif "step" in message:
                    share = message.get("share")
                    report(str(message["step"]), share if isinstance(share, float | int) else None)
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        if problem is not None:
            raise ModelError(problem)
        if code != 0:
            noise.seek(0)
            raise ModelError(_ending(source, code, noise.read()))


def serve_converter(convert: Callable[[Path, Path, Progress], None], arguments: list[str]) -> int:
    """The converter's side: run ``convert(source, out, report)`` and return the exit status."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m MODULE SOURCE OUT\n")
        return 2

    def say(**message: object) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    try:
        convert(
            Path(arguments[0]),
            Path(arguments[1]),
            lambda step, share: say(step=step, share=share),
        )
    except ChatAppError as error:
        say(error=error.sentence)
        return 1
    except OSError as error:
        say(error=f"{arguments[0]} could not be converted: {error}. Check that the disk has room.")
        return 1
    return 0


def _environment() -> dict[str, str]:
    """Ours, and the way to this package, which need not be the current folder."""
    places = [str(Path(chatapp.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}


def _message(line: str) -> dict[str, object]:
    """A line of the protocol; libraries may print lines of their own, which say nothing to us."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _ending(source: Path, code: int, noise: str) -> str:
    if code < 0:
        return (
            f"The conversion of {source.name} was ended by signal {-code}. Most often there was "
            "not enough memory: close other programs or choose a smaller model."
        )
    lines = noise.strip().splitlines()
    reason = lines[-1] if lines else f"exit status {code}"
    return f"{source.name} could not be converted: {reason}"
