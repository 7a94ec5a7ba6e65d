"""``POST /v1/chat/completions``: OpenAI's words on one side, the chat flow on the other."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from chatapp.api.answers import StreamedAnswer, WholeAnswer
from chatapp.api.frames import Head
from chatapp.api.limits import BoundedRoute
from chatapp.api.models import Catalogue, ChoosesAdapters, Voice
from chatapp.api.schemas import ChatCompletion, ChatCompletionRequest, ErrorBody
from chatapp.errors import NotFound, UnsupportedField
from chatapp.flows.answering import Answering

_STREAM_EXAMPLE = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"tutor",'
    '"choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}]}'
    "\n\ndata: [DONE]\n\n"
)


MayAsk = Callable[[Request, str], bool]
"""Whether whoever sent a request may be answered from the collection of that name."""


def chat_routes(
    answering: Answering, catalogue: Catalogue, adapters: ChoosesAdapters, may_ask: MayAsk
) -> APIRouter:
    """The route, answering through ``answering`` in the name of whoever ``catalogue`` finds."""
    router = APIRouter(route_class=BoundedRoute, tags=["chat"])

    @router.post(
        "/chat/completions",
        summary="Answer a conversation",
        response_model=ChatCompletion,
        responses={
            200: {
                "description": "The answer; with `stream`, as server-sent events.",
                "content": {"text/event-stream": {"example": _STREAM_EXAMPLE}},
            },
            400: {"model": ErrorBody, "description": "A value that makes no sense."},
            404: {"model": ErrorBody, "description": "No such model or collection."},
            422: {"model": ErrorBody, "description": "A field that cannot be honoured."},
            429: {"model": ErrorBody, "description": "Busy; try again after `Retry-After`."},
        },
    )
    async def create_chat_completion(request: ChatCompletionRequest, sent: Request) -> Response:
        name = request.collection
        if name is not None and answering.has_knowledge and not may_ask(sent, name):
            raise NotFound(f"There is no collection {name!r} that is open to you.")
        voice = await catalogue.find(request.model)
        messages = voice.prepare([message.to_chat() for message in request.messages])
        sampling = voice.sampling(_given_sampling(request))
        events = answering.answer(
            messages,
            sampling,
            face="api",
            adapter=await adapters.pick(voice.adapter),
            collection=_collection(request, voice, answering),
        )
        head = Head(model=voice.id)
        if request.stream:
            return StreamedAnswer(events, head, with_usage=request.wants_usage)
        return WholeAnswer(events, head)

    return router


def _collection(request: ChatCompletionRequest, voice: Voice, answering: Answering) -> str | None:
    """The knowledge to answer from: the one asked for, or the persona's."""
    if request.collection is None:
        return voice.persona.collection if voice.persona else None
    if not answering.has_knowledge:
        raise UnsupportedField(
            "collection", "The field collection is not supported here, as there is no knowledge."
        )
    return request.collection


def _given_sampling(request: ChatCompletionRequest) -> dict[str, object]:
    """The sampling fields that the request sets, under our names."""
    stop = [request.stop] if isinstance(request.stop, str) else request.stop
    fields = {
        "max_tokens": request.most_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "repetition_penalty": request.repetition_penalty,
        "seed": request.seed,
        "stop": None if stop is None else tuple(stop),
    }
    return {name: value for name, value in fields.items() if value is not None}
