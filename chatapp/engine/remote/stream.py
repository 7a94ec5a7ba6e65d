"""Reads a chat completion stream: bytes in any portions in, pieces of an answer out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from chatapp.errors import RemoteError
from chatapp.records import FinishReason, Usage

MAX_FRAME_BYTES = 1024 * 1024
"""A server whose frames are larger is not sending a chat completion."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one frame says; any part may be missing."""

    text: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None


async def read_pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[Piece]:
    """The pieces of an answer, up to its end mark or the end of the bytes.

    Raises:
        RemoteError: a frame is not part of a chat completion, or says that the answer failed.
    """
    async for data in read_events(chunks):
        if data == "[DONE]":
            return
        yield parse_piece(data)


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The data of each server-sent event.

    Follows the event stream format of the HTML standard, except that a carriage return alone does
    not end a line. Lines are decoded only when they are complete, so a character may be cut
    anywhere between two chunks. Comments and fields other than ``data`` are skipped.

    Raises:
        RemoteError: a line or an event is too long, or is not UTF-8.
    """
    rest = b""
    data: list[str] = []
    size = 0
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                size += len(line)
                data.append(_decode(line[5:]).removeprefix(" "))
            elif not line and data:
                yield "\n".join(data)
                data, size = [], 0
        if len(rest) + size > MAX_FRAME_BYTES:
            raise RemoteError("The remote server sent a frame that is far too long for an answer.")
    # Some servers end without the last empty line.
    if rest.startswith(b"data:"):
        data.append(_decode(rest[5:]).strip())
    if data:
        yield "\n".join(data)


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise RemoteError("The remote server sent text that is not UTF-8.") from error


def parse_piece(data: str) -> Piece:
    """What a frame's JSON says.

    Raises:
        RemoteError: it is not part of a chat completion, or says that the answer failed.
    """
    try:
        frame = json.loads(data)
    except ValueError as error:
        raise _unreadable(data) from error
    if not isinstance(frame, dict):
        raise _unreadable(data)
    if frame.get("error"):
        raise RemoteError(f"The remote server broke off the answer: {message_of(frame)}")
    usage = _usage(frame.get("usage"))
    match frame.get("choices"):
        case [{"delta": {"content": str(text)}} as choice, *_]:
            return Piece(text, _finish(choice), usage)
        case [dict(choice), *_]:
            return Piece("", _finish(choice), usage)
        case [] | None if usage or "choices" in frame:
            return Piece(usage=usage)
    raise _unreadable(data)


def message_of(body: object) -> str:
    """The sentence inside an error body, whichever of the usual shapes it has; one line that ends
    in a full stop."""
    match body:
        case {"error": {"message": str(message)}} | {"error": str(message)}:
            found = message
        case {"message": str(message)} | {"detail": str(message)}:
            found = message
        case {"detail": [{"msg": str(message)} as first, *_]}:
            found = f"{first.get('loc')}: {message}"
        case _:
            found = str(body)
    line = " ".join(found.split())
    return f"{line.rstrip('.')}." if len(line) <= 300 else f"{line[:300]}…"


def _finish(choice: dict[str, object]) -> FinishReason | None:
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    return "length" if reason == "length" else "stop"


def _usage(counts: object) -> Usage | None:
    match counts:
        case {"prompt_tokens": int(prompt), "completion_tokens": int(completion)}:
            return Usage(prompt, completion)
    return None


def _unreadable(data: str) -> RemoteError:
    return RemoteError(
        f"The remote server sent something that is not part of an answer: {data[:80]!r}. "
        "Check that CHATAPP_REMOTE_BASE_URL is an OpenAI-compatible server."
    )
