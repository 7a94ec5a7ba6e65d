"""An engine that is somewhere else: any OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

from chatapp.engine.admission import Admission
from chatapp.engine.answer import Stopwatch
from chatapp.engine.remote.adapters import ServerAdapters
from chatapp.engine.remote.answer import RemoteAnswer
from chatapp.engine.remote.counting import TokenCounter
from chatapp.engine.remote.dialect import Dialect, is_too_long, refused_field
from chatapp.engine.remote.http import RemoteServer, StatusError, Wire
from chatapp.engine.remote.stream import Piece, message_of, read_pieces
from chatapp.errors import (
    ChatAppError,
    EngineBusy,
    EngineDied,
    ModelError,
    PromptTooLong,
    RemoteError,
    UnsupportedField,
)
from chatapp.events import EngineEvent, Queued, Token
from chatapp.records import ChatMessage, EngineInfo, Sampling


class RemoteEngine:
    """Sends each request on, with its own queue in front so that the server is not flooded.

    ``Token`` events are the server's frames, usually one token each. Token counts are the
    server's own; where it sends none, they are an estimate. Text that a server marks as reasoning
    is not part of the answer.
    """

    def __init__(self, server: RemoteServer, *, max_running: int, max_waiting: int) -> None:
        self._server = server
        self._admission = Admission(max_running, max_waiting)
        self._wire = Wire(server)
        self._model = server.model or ""
        self._limit = server.context_length
        self._counter = TokenCounter(self._wire, self._model)
        self._adapters = ServerAdapters(self._wire, self._list)
        self._state = "new"
        self._dialect = Dialect()

    @property
    def info(self) -> EngineInfo:
        """What is answering, as far as the server says it."""
        return EngineInfo(
            engine="remote",
            model=self._model or "unknown",
            quantization="as served",
            device=urlsplit(self._wire.place).netloc or self._wire.place,
            context_length=self._limit,
        )

    async def start(self) -> None:
        """Find the model on the server.

        Raises:
            ModelError: the server cannot be reached, refuses the key, or lacks the model.
        """
        try:
            self._choose(await self._list())
            self._counter = TokenCounter(self._wire, self._model)
            await self._counter.find_out()
        except StatusError as error:
            raise ModelError(self._wire.explain(error).sentence) from error
        except RemoteError as error:
            raise ModelError(error.sentence) from error
        self._state = "ready"

    async def _list(self) -> dict[str, dict[str, object]]:
        try:
            return _models(await self._wire.get(f"{self._wire.place}/models"))
        except StatusError as error:
            # transformers serve fails to list models when there is no download folder to list.
            if self._server.model and error.status >= 500:
                return {}
            raise

    def _choose(self, listed: dict[str, dict[str, object]]) -> None:
        wanted = self._server.model or next(iter(listed), "")
        if not wanted:
            raise ModelError(
                f"The remote server at {self._wire.place} lists no models. Set "
                "CHATAPP_REMOTE_MODEL to the model to use."
            )
        # A name that is not listed is taken at its word: some servers load whatever they are
        # asked for. If it is wrong, the first request says so.
        self._model = wanted
        facts = listed.get(wanted, {})
        if isinstance(longest := facts.get("max_model_len"), int):
            self._limit = min(self._limit, longest)
        self._adapters.listed(
            name for name, facts in listed.items() if facts.get("parent") == wanted != name
        )

    async def close(self) -> None:
        """Cut every connection. Running requests end with EngineDied."""
        self._state = "closed"
        await self._wire.close()

    @property
    def ready(self) -> bool:
        """Whether the server answered at the start; it is not asked again and again."""
        return self._state == "ready"

    def memory_bytes(self) -> int:
        """Nothing is held here."""
        return 0

    def load(self) -> tuple[int, int]:
        """Requests sent to the server, and requests waiting here."""
        return self._admission.running, self._admission.waiting

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Length of the prompt: exact if the server offers ``/tokenize``, else an estimate."""
        try:
            return await self._counter.count(messages)
        except StatusError as error:
            raise self._refusal(error, {}, None) from error

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        adapter: str | None = None,
    ) -> AsyncGenerator[EngineEvent, None]:
        """See ``Engine.stream``. Closing the stream closes the connection, so the server stops."""
        self._check_open()
        use = self._adapters.use(adapter)
        ticket = self._admission.ticket()
        watch = Stopwatch()
        use.enter()
        try:
            prompt_tokens = await self.count_tokens(messages)
            room = self._limit - prompt_tokens
            if room < 1 and self._counter.exact:
                raise PromptTooLong(prompt_tokens, self._limit)
            async for ahead in ticket.positions():
                yield Queued(ahead)
            watch.slot()
            answer = RemoteAnswer(sampling, watch, prompt_tokens)
            most = min(sampling.max_tokens, max(room, 1))
            async with aclosing(self._pieces(messages, sampling, adapter, most)) as pieces:
                async for piece in pieces:
                    if text := answer.feed(piece):
                        yield Token(text)
                    if answer.stopped:
                        break
            if text := answer.flush():
                yield Token(text)
            yield answer.done()
        finally:
            use.leave()
            ticket.release()

    async def _pieces(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        adapter: str | None,
        max_tokens: int,
    ) -> AsyncGenerator[Piece, None]:
        """What the server streams; its refusals become errors with a sentence."""
        while True:
            self._check_open()
            request = self._dialect.request(adapter or self._model, messages, sampling, max_tokens)
            try:
                url = f"{self._wire.place}/chat/completions"
                async with self._wire.open("POST", url, request) as response:
                    async for piece in read_pieces(response.aiter_bytes()):
                        self._check_open()
                        yield piece
                return
            except StatusError as error:
                if not self._dialect.learn(error):
                    raise self._refusal(error, request, adapter) from error
            except RemoteError:
                self._check_open()
                raise

    def _refusal(
        self, error: StatusError, request: Mapping[str, object], adapter: str | None
    ) -> ChatAppError:
        if error.status == 429:
            return EngineBusy(*self.load())
        if error.status == 404 and adapter:
            return self._adapters.lost(adapter)
        if is_too_long(error):
            return PromptTooLong(self._limit, self._limit)
        if field := refused_field(error, request):
            return UnsupportedField(
                field,
                f"The remote server cannot honour {field}: {message_of(error.body)} "
                "Leave it at its default.",
            )
        return self._wire.explain(error)

    def _check_open(self) -> None:
        if self._state != "ready":
            raise EngineDied("The connection to the remote server is closed. Please try again.")

    def adapters(self) -> tuple[str, ...]:
        """Adapters that the server listed at the start, and those loaded since."""
        return self._adapters.names()

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Ask the server to load a PEFT folder; see ``ServerAdapters``.

        Raises:
            ModelError: the server cannot read the folder, or it does not fit the model.
            UnsupportedField: the server loads no adapters while it runs.
        """
        await self._adapters.load(name, folder)

    async def unload_adapter(self, name: str) -> None:
        """Ask the server to forget an adapter, once its last answer is written.

        Raises:
            NotFound: no adapter of that name is loaded.
            UnsupportedField: the server does not unload adapters while it runs.
            RemoteError: the server refused.
        """
        await self._adapters.unload(name)


def _models(listed: object) -> dict[str, dict[str, object]]:
    """The entries of a model list by their id, in the server's order."""
    match listed:
        case {"data": list(entries)}:
            return {
                entry["id"]: entry
                for entry in entries
                if isinstance(entry, dict) and isinstance(entry.get("id"), str)
            }
    raise RemoteError(
        "The remote server's list of models cannot be read. Check that CHATAPP_REMOTE_BASE_URL is "
        "an OpenAI-compatible server; it usually ends in /v1."
    )
