"""The shapes of requests and answers, as OpenAI's clients know them and ``/docs`` shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chatapp.api.fields import honoured
from chatapp.api.grounding import GroundingBody
from chatapp.errors import InvalidRequest
from chatapp.records import ChatMessage


class TextPart(BaseModel):
    """One piece of a message's text."""

    type: Literal["text"]
    text: str


class RequestMessage(BaseModel):
    """One turn. ``developer`` is another word for ``system``."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    def to_chat(self) -> ChatMessage:
        """The turn as an engine reads it; text parts become paragraphs."""
        role: Literal["system", "user", "assistant"]
        role = "system" if self.role == "developer" else self.role
        if isinstance(self.content, str):
            return ChatMessage(role, self.content)
        return ChatMessage(role, "\n".join(part.text for part in self.content))


class StreamOptions(BaseModel):
    """What a stream carries beside its text."""

    model_config = ConfigDict(strict=True, extra="forbid")

    include_usage: Annotated[
        bool, Field(description="Send token counts in a last frame of their own.")
    ] = False


class ChatCompletionRequest(BaseModel):
    """A conversation to answer.

    Fields of OpenAI's API that are not listed here are refused with status 422, unless their
    value asks for nothing, such as `n=1`.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "model": "customer-service",
                    "messages": [{"role": "user", "content": "Where is my parcel?"}],
                    "stream": False,
                    "max_tokens": 128,
                }
            ]
        },
    )

    model: Annotated[
        str | None,
        Field(
            description="An id from `/v1/models`: the model, an adapter or a persona. A persona "
            "brings its system prompt, unless the messages hold one, and its sampling. The model "
            "and the personas answer with the adapter that is live; `:base` or `:` and an "
            "adapter's name behind them choose another. The default is the model itself."
        ),
    ] = None
    messages: Annotated[
        list[RequestMessage], Field(min_length=1, description="The turns; the last is answered.")
    ]
    collection: Annotated[
        str | None,
        Field(
            description="Extension: the knowledge to answer from. The default is the persona's; "
            "the bare model and adapters answer without any."
        ),
    ] = None
    stream: Annotated[bool, Field(description="Send the answer as it grows.")] = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int | None, Field(description="Most new tokens to write.")] = None
    max_completion_tokens: Annotated[
        int | None, Field(description="The newer name of `max_tokens`.")
    ] = None
    temperature: Annotated[
        float | None, Field(description="0 always takes the likeliest token; at most 2.")
    ] = None
    top_p: Annotated[
        float | None, Field(description="Keep the likeliest tokens up to this share, in (0, 1].")
    ] = None
    top_k: Annotated[
        int | None, Field(description="Extension: keep this many likeliest tokens; 0 keeps all.")
    ] = None
    repetition_penalty: Annotated[
        float | None,
        Field(description="Extension: makes repeated tokens less likely; 1 is off."),
    ] = None
    seed: Annotated[int | None, Field(description="The same seed gives the same answer.")] = None
    stop: Annotated[
        str | list[str] | None, Field(description="Up to 8 texts that end the answer, unseen.")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_is_not_honoured(cls, request: object) -> object:
        return honoured(request) if isinstance(request, dict) else request

    @property
    def most_tokens(self) -> int | None:
        """The length limit under either of its names.

        Raises:
            InvalidRequest: both names are given, with different values.
        """
        old, new = self.max_tokens, self.max_completion_tokens
        if old is not None and new is not None and old != new:
            raise InvalidRequest(
                f"max_tokens is {old} and max_completion_tokens is {new}; send only one of them.",
                field="max_tokens",
            )
        return old if new is None else new

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with token counts."""
        return self.stream_options is not None and self.stream_options.include_usage


class UsageBody(BaseModel):
    """Token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AnswerMessage(BaseModel):
    """The answer's text."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer; `n` is always 1."""

    index: int = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Literal["stop", "length"]


class ChatCompletion(GroundingBody):
    """A whole answer. `route`, `sources` and `flags` are there only if it was answered from a
    collection."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: UsageBody


class ModelBody(BaseModel):
    """Something that `model` may name: the model itself, an adapter, or a persona."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["model", "adapter", "persona"]
    parent: Annotated[str | None, Field(description="The model that an adapter changes.")]
    max_model_len: Annotated[int, Field(description="Longest prompt and answer, in tokens.")]
    name: str
    description: str


class ModelList(BaseModel):
    """Everything that `model` may name."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


class ErrorFacts(BaseModel):
    """What went wrong."""

    message: Annotated[str, Field(description="A sentence for a person.")]
    type: str
    param: Annotated[str | None, Field(description="The request field it is about.")] = None
    code: Annotated[str | None, Field(description="A stable name for programs.")] = None


class ErrorBody(BaseModel):
    """An error in OpenAI's shape."""

    error: ErrorFacts


class EngineBody(BaseModel):
    """What is answering."""

    engine: str
    model: str
    quantization: str
    device: str
    context_length: int
    parameters: int | None


class Health(BaseModel):
    """Whether the app is alive, and whether it would answer now."""

    live: bool = True
    ready: bool
    engine: Annotated[EngineBody | None, Field(description="Null until the model is ready.")]
    running: int
    waiting: int
    memory_bytes: Annotated[int, Field(description="Held for the model.")]
