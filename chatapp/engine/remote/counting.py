"""How many tokens a prompt has on a remote server: asked for where that is possible, else guessed.

``POST /tokenize`` beside ``/v1`` is exact: vLLM (and this project's own API) take the messages;
llama.cpp's server takes the text that its ``/apply-template`` makes of them. Elsewhere a prompt
is estimated as one token for three bytes of UTF-8 and eight a message. English has about 4.5
bytes a token and Chinese about 3 to 4, so this errs on the long side: a turn too many may be
dropped, but a prompt is seldom too long unnoticed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from chatapp.engine.remote.dialect import as_json
from chatapp.engine.remote.http import StatusError, Wire
from chatapp.errors import RemoteError
from chatapp.records import ChatMessage

Count: TypeAlias = Callable[[Sequence[ChatMessage]], Awaitable[int]]

_REMEMBERED = 64
_NOT_OFFERED = (400, 404, 405, 422, 501)


def estimate(messages: Sequence[ChatMessage]) -> int:
    """Roughly how many tokens the messages have."""
    return sum(len(message.content.encode()) // 3 + 8 for message in messages)


class TokenCounter:
    """Counts with the server if it offers that. The chat flow counts a prompt just before it is
    sent, so recent counts are kept."""

    def __init__(self, wire: Wire, model: str) -> None:
        self._wire = wire
        self._model = model
        self._ask: Count | None = None
        self._recent: dict[tuple[ChatMessage, ...], int] = {}

    @property
    def exact(self) -> bool:
        """Whether the server counts."""
        return self._ask is not None

    async def find_out(self) -> None:
        """See which way of counting the server offers."""
        probe = [ChatMessage("user", "Hi")]
        for ask in (self._like_vllm, self._like_llama_cpp):
            try:
                await ask(probe)
            except StatusError as error:
                if error.status not in _NOT_OFFERED:
                    raise
            except _NotACount:
                continue
            else:
                self._ask = ask
                return

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        """Length of the prompt in tokens; see ``exact``."""
        if self._ask is None:
            return estimate(messages)
        key = tuple(messages)
        if key not in self._recent:
            self._recent[key] = await self._ask(messages)
            if len(self._recent) > _REMEMBERED:
                del self._recent[next(iter(self._recent))]
        return self._recent[key]

    async def _like_vllm(self, messages: Sequence[ChatMessage]) -> int:
        body = {"model": self._model, "messages": as_json(messages)}
        match await self._wire.post(f"{self._wire.root}/tokenize", body):
            case {"count": int(count)}:
                return count
        raise _NotACount

    async def _like_llama_cpp(self, messages: Sequence[ChatMessage]) -> int:
        template = f"{self._wire.root}/apply-template"
        match await self._wire.post(template, {"messages": as_json(messages)}):
            case {"prompt": str(prompt)}:
                text = {"content": prompt, "add_special": True, "parse_special": True}
                match await self._wire.post(f"{self._wire.root}/tokenize", text):
                    case {"tokens": list(tokens)}:
                        return len(tokens)
        raise _NotACount


class _NotACount(RemoteError):
    """The server offers something else under that address."""

    def __init__(self) -> None:
        super().__init__("The remote server stopped counting tokens. Please try again.")
