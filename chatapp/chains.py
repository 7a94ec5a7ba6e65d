"""For those who compose their own chain: the engine as LangChain's ``BaseChatModel``.

The search is offered as a ``BaseRetriever`` by ``chatapp.knowledge.langchain``;
``examples/langchain_chain.py`` puts the two together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages import SystemMessage as SystemTurn
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, PrivateAttr

from chatapp.engine.base import Engine
from chatapp.errors import InvalidRequest, UnsupportedField
from chatapp.events import Done, Token
from chatapp.records import ChatMessage, Role, Sampling

_T = TypeVar("_T")
_ROLES: dict[type[BaseMessage], Role] = {
    SystemTurn: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
}


class EngineChatModel(BaseChatModel):
    """A started engine as a LangChain chat model.

    Make it on the event loop that runs the engine. The asynchronous methods (``ainvoke``,
    ``astream``) are for that loop; the synchronous ones for every other thread.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Any
    sampling: Sampling = Field(default_factory=Sampling)
    _loop: asyncio.AbstractEventLoop = PrivateAttr()

    def __init__(self, engine: Engine, sampling: Sampling | None = None) -> None:
        super().__init__(engine=engine, sampling=sampling or Sampling())
        self._loop = asyncio.get_running_loop()

    @property
    def _llm_type(self) -> str:
        return "chatapp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.engine.info.model, "engine": self.engine.info.engine}

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        stream = self.engine.stream(as_turns(messages), self._asked(stop, kwargs))
        async with aclosing(stream) as events:
            async for event in events:
                match event:
                    case Token(text):
                        chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                        if run_manager:
                            await run_manager.on_llm_new_token(text, chunk=chunk)
                        yield chunk
                    case Done():
                        yield _last(event)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        return self._elsewhere(self._agenerate(messages, stop, None, **kwargs))

    def _elsewhere(self, work: Coroutine[Any, Any, _T]) -> _T:
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            work.close()
            raise InvalidRequest(
                "This chat model runs on the event loop you are calling from. Use ainvoke or "
                "astream here, or call invoke from another thread."
            )
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _asked(self, stop: Sequence[str] | None, given: dict[str, Any]) -> Sampling:
        """The model's sampling with what this call changes of it."""
        fields = {name: getattr(self.sampling, name) for name in Sampling.__dataclass_fields__}
        for name, value in given.items():
            if name not in fields:
                raise UnsupportedField(name, f"The chat model takes no {name}.")
            fields[name] = value
        if stop:
            fields["stop"] = tuple(stop)
        return Sampling(**fields)


def as_turns(messages: Sequence[BaseMessage]) -> list[ChatMessage]:
    """LangChain's messages as ours.

    Raises:
        UnsupportedField: a message that is neither system, human nor AI, or holds more than text.
    """
    turns = []
    for message in messages:
        role = next((ours for kind, ours in _ROLES.items() if isinstance(message, kind)), None)
        parts = message.content if isinstance(message.content, list) else [message.content]
        texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
        if role is None or not all(isinstance(text, str) for text in texts):
            raise UnsupportedField(
                "messages", f"A {message.type} message with other content than text is not read."
            )
        turns.append(ChatMessage(role, "".join(str(text) for text in texts)))
    return turns


def _last(done: Done) -> ChatGenerationChunk:
    usage = UsageMetadata(
        input_tokens=done.usage.prompt_tokens,
        output_tokens=done.usage.completion_tokens,
        total_tokens=done.usage.total_tokens,
    )
    last = AIMessageChunk(
        content="", usage_metadata=usage, response_metadata={"finish_reason": done.reason}
    )
    return ChatGenerationChunk(message=last)
