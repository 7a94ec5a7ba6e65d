"""The one place where errors become HTTP."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from chatapp.api.schemas import ErrorBody, ErrorFacts
from chatapp.errors import ChatAppError, PromptTooLong
from chatapp.events import Failed
from chatapp.flows.answering import as_failed

_WELL_KNOWN_CODES = {PromptTooLong.__name__: "context_length_exceeded"}
"""Codes that clients of OpenAI's API already look for."""

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "1"},
    503: {"Retry-After": "5"},
}
_SENTENCES = {
    404: "There is nothing at this address. The API is described at /docs.",
    405: "This address does not take {method} requests. The API is described at /docs.",
    413: "The request's body is too large. Send fewer or shorter messages.",
}


def problem(
    status: int, sentence: str, *, param: str | None = None, code: str | None = None
) -> JSONResponse:
    """An error response in OpenAI's shape."""
    body = _body(status, sentence, param, code).model_dump()
    return JSONResponse(body, status, headers=_HEADERS.get(status))


def failure(event: Failed) -> JSONResponse:
    """The response for an answer that failed before its first text."""
    return problem(_status(event.code), event.sentence, param=event.field, code=event.code)


def failure_body(event: Failed) -> ErrorBody:
    """What a stream that breaks carries in its last frame."""
    return _body(_status(event.code), event.sentence, event.field, event.code)


def _body(status: int, sentence: str, param: str | None, code: str | None) -> ErrorBody:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    known = _WELL_KNOWN_CODES.get(code or "", code)
    return ErrorBody(error=ErrorFacts(message=sentence, type=kind, param=param, code=known))


def _status(code: str) -> int:
    kinds = [ChatAppError]
    for kind in kinds:
        if kind.__name__ == code:
            return kind.http_status
        kinds.extend(kind.__subclasses__())
    return 500


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in OpenAI's shape, with one plain sentence."""

    @app.exception_handler(ChatAppError)
    async def known_error(_: Request, error: ChatAppError) -> JSONResponse:
        field = error.facts.get("field")
        return problem(
            error.http_status,
            error.sentence,
            param=str(field) if field is not None else None,
            code=error.code,
        )

    @app.exception_handler(RequestValidationError)
    async def wrong_request(_: Request, error: RequestValidationError) -> JSONResponse:
        sentence, param = _wrong(error)
        return problem(400, sentence, param=param, code="InvalidRequest")

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        status = error.status_code
        sentence = _SENTENCES.get(status, str(error.detail)).format(method=request.method)
        return problem(status, sentence)

    @app.exception_handler(Exception)
    async def unknown_error(_: Request, error: Exception) -> JSONResponse:
        return failure(as_failed(error))


def _wrong(error: RequestValidationError) -> tuple[str, str | None]:
    """A sentence for the first thing wrong, and the field it is about."""
    first = error.errors()[0]
    kind, place = first["type"], first["loc"]
    if kind == "json_invalid":
        reason = str(first["ctx"]["error"]).rstrip(".")
        return f"The request's body is not valid JSON: {reason} at character {place[-1]}.", None
    if len(place) == 1:
        return (
            "The request's body must be a JSON object, sent with Content-Type: application/json.",
            None,
        )
    field = _path(place[1:])
    if kind == "missing":
        return f"The field {field} is missing.", field
    message = str(first["msg"])
    return f"The field {field} is wrong: {message[:1].lower()}{message[1:]}.", field


def _path(place: tuple[int | str, ...]) -> str:
    """``("messages", 0, "role")`` as ``messages[0].role``; pydantic's union tags are left out."""
    path = ""
    for step in place:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step == "str" or "[" in step:
            break
        else:
            path += f".{step}" if path else step
    return path
