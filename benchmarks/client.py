"""A client that costs next to nothing, because it shares the machine with what it measures."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.loads import Load, Messages


@dataclass(slots=True)
class Heard:
    """One answer.

    Attributes:
        first: seconds to the first text; None when none came before the cut.
        frames: pieces of text that came.
        counted: tokens by the server's count, if it came.
        error: what went wrong.
    """

    first: float | None = None
    frames: int = 0
    counted: int | None = None
    finished: bool = False
    error: str | None = None

    @property
    def tokens(self) -> int:
        """How many tokens came; a frame counts as one where the server does not say."""
        return self.frames if self.counted is None else self.counted


@dataclass(slots=True)
class LoadResult:
    """Everything that one load heard, and how long it took."""

    heard: list[Heard]
    seconds: float
    cut: bool
    latencies: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.latencies = sorted(one.first for one in self.heard if one.first is not None)

    @property
    def rate(self) -> float:
        """Tokens of all answers a second."""
        return sum(one.tokens for one in self.heard) / self.seconds

    def first(self, share: float) -> float | None:
        """Time to first token, at a percentile of all requests that were sent."""
        place = max(0, round(share * len(self.heard) + 0.5) - 1)
        return self.latencies[place] if place < len(self.latencies) else None

    @property
    def errors(self) -> list[str]:
        """What went wrong, one text for each answer that failed."""
        return [one.error for one in self.heard if one.error]


async def play(url: str, model: str, load: Load, prompts: list[list[Messages]]) -> LoadResult:
    """Play a load against a server.

    Args:
        url: up to and including ``/v1``.
    """
    heard: list[Heard] = []

    async def session(conversations: list[Messages]) -> None:
        for messages in conversations:
            one = Heard()
            heard.append(one)
            await ask(url, model, messages, load.new_tokens, one)

    began = time.perf_counter()
    sessions = [asyncio.create_task(session(conversations)) for conversations in prompts]
    _, late = await asyncio.wait(sessions, timeout=load.seconds)
    seconds = time.perf_counter() - began
    for task in late:
        task.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    return LoadResult(heard, seconds, cut=bool(late))


async def ask(url: str, model: str, messages: Messages, new_tokens: int, heard: Heard) -> None:
    """Stream one greedy answer; what is heard is written into ``heard`` as it comes."""
    began = time.perf_counter()
    body = {
        "model": model,
        "messages": messages,
        "max_tokens": new_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        raw = json.dumps(body).encode()
        writer.write(
            f"POST {address.path}/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + raw
        )
        status = int((await reader.readline()).split()[1])
        while (await reader.readline()).strip():
            pass
        if status != 200:
            heard.error = f"status {status}: {(await reader.read(300)).decode(errors='replace')}"
            return
        # Chunk sizes and blank lines lie between the frames; no frame here spans two chunks.
        async for line in reader:
            if line.startswith(b"data: {"):
                _frame(json.loads(line[6:]), heard, began)
    except (OSError, ValueError) as error:
        heard.error = repr(error)
    finally:
        writer.close()


def _frame(frame: dict[str, object], heard: Heard, began: float) -> None:
    if frame.get("error"):
        heard.error = str(frame["error"])
    match frame.get("choices"):
        case [{"delta": {"content": str(text)}}, *_] if text:
            heard.frames += 1
            heard.first = heard.first or time.perf_counter() - began
    match frame.get("choices"):
        case [{"finish_reason": str()}, *_]:
            heard.finished = True
    match frame.get("usage"):
        case {"completion_tokens": int(tokens)}:
            heard.counted = tokens
