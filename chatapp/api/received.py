"""A file that comes in as a request's whole body, so that it can be of any size."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import Request

from chatapp.errors import DocumentError, InvalidRequest

_STALE: Final = 24 * 3600
"""Seconds after which a file that a killed process left behind is removed."""
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")


class TooLarge(DocumentError):
    """A file beyond what is taken in."""

    http_status = 413


@asynccontextmanager
async def received(request: Request, folder: Path, name: str, most: int) -> AsyncIterator[Path]:
    """The request's body as a file that is gone afterwards.

    Raises:
        InvalidRequest: the file has no name.
        TooLarge: it is longer than ``most`` bytes.
    """
    if not name.strip():
        raise InvalidRequest("The file needs a name.", field="name")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise _too_large(name, most)
    path = await asyncio.to_thread(_place, folder, name)
    try:
        with path.open("wb") as file:
            taken = 0
            async for chunk in request.stream():
                taken += len(chunk)
                if taken > most:
                    raise _too_large(name, most)
                await asyncio.to_thread(file.write, chunk)
        yield path
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _place(folder: Path, name: str) -> Path:
    """A new, empty file, with the ending of ``name``, by which some readers go."""
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    for left in incoming.iterdir():
        if left.stat().st_mtime < time.time() - _STALE:
            left.unlink(missing_ok=True)
    ending = _ENDING.search(name)
    handle, path = tempfile.mkstemp(dir=incoming, suffix=ending[0] if ending else "")
    os.close(handle)
    return Path(path)


def _too_large(name: str, most: int) -> TooLarge:
    return TooLarge(
        f"{name} is larger than {most // 1024**2:,} MB. Split it, or set CHATAPP_MAX_UPLOAD_MB "
        "to allow more.",
        file=name,
    )
