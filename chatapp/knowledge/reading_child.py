"""The child that reads files: ``python -m chatapp.knowledge.reading_child``.

It speaks the protocol of ``chatapp.knowledge.reading_process`` and brings in the libraries of a
format only when a file of it comes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psutil

from chatapp.errors import ChatAppError
from chatapp.knowledge.loading.load import load

_IDLE = 60.0
"""Seconds without a file after which it goes away and gives its memory back."""

_ADDRESS_SPACE = 6 * 1024**3
"""Stops a single allocation that the app would see too late. Recognising scanned pages maps some
3 GB, of which it fills one."""

_KEPT_MB = 1_024
"""Resident memory above which this process makes room for a fresh one after a file, so that what
one file left behind is not charged to the next. The recogniser of scans stays below."""

_OFTEN = 0.1
"""Seconds between two reports of progress."""

_Say = Callable[[dict[str, object]], None]


def main() -> None:
    """Read what is asked for until nobody asks any more."""
    say = _take_over_output()
    _limit()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    with contextlib.suppress(queue.Empty):
        while _serve(json.loads(requests.get(timeout=_IDLE)), say):
            pass


def _take_over_output() -> _Say:
    """Keep standard output for the protocol: what libraries print goes where errors go."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def say(message: dict[str, object]) -> None:
        out.write(json.dumps(message).encode() + b"\n")
        out.flush()

    return say


def _limit() -> None:
    """Leave the processor to answers, and bound the memory, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        os.nice(10)
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    """Hand requests on; when the app is gone, so is this process, whatever it is doing."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _serve(request: dict[str, str], say: _Say) -> bool:
    """Read one file; False when this process is better replaced."""
    say({"begun": True})
    name = request["name"]
    try:
        for document in load(Path(request["path"]), name, _seldom(say)):
            say({"document": dataclasses.asdict(document)})
    except ChatAppError as error:
        cause = error.__cause__
        detail = "".join(traceback.format_exception(cause)) if cause else ""
        say({"error": {"sentence": error.sentence, "facts": error.facts, "detail": detail}})
    except OSError as error:
        say({"error": {"sentence": f"{name} could not be opened: {error.strerror or error}."}})
    except MemoryError:
        sentence = f"{name} needs more memory to be read than a document may take. Split it."
        say({"error": {"sentence": sentence}})
        return False
    else:
        say({"end": True})
    return psutil.Process().memory_info().rss < _KEPT_MB * 1024**2


def _seldom(say: _Say) -> Callable[[int, int], None]:
    """Progress, but not for each of a thousand quick rows; the last step is always told."""
    told = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _OFTEN or done == total:
            told = now
            say({"progress": [done, total]})

    return progress


if __name__ == "__main__":
    main()
