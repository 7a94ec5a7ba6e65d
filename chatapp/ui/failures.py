"""Turns a failure inside a handler into one sentence on the page, never a traceback."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

import gradio as gr

from chatapp.errors import ChatAppError
from chatapp.ui.texts import Words
from chatapp.ui.visit import words_of

_log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


def plainly(
    handler: Callable[Concatenate[S, gr.Request, P], Awaitable[R]],
) -> Callable[Concatenate[S, gr.Request, P], Awaitable[R]]:
    """For handlers that return once."""

    @functools.wraps(handler)
    async def told(self: S, request: gr.Request, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await handler(self, request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the last line before the reader
            raise toast(error, words_of(request)) from None

    return told


def plainly_streaming(
    handler: Callable[Concatenate[S, gr.Request, P], AsyncGenerator[R, None]],
) -> Callable[Concatenate[S, gr.Request, P], AsyncGenerator[R, None]]:
    """For handlers that yield frames."""

    @functools.wraps(handler)
    async def told(
        self: S, request: gr.Request, /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[R, None]:
        frames = handler(self, request, *args, **kwargs)
        try:
            async for frame in frames:
                yield frame
        except Exception as error:  # noqa: BLE001 - the last line before the reader
            raise toast(error, words_of(request)) from None
        finally:
            await frames.aclose()

    return told


def toast(error: Exception, words: Words) -> gr.Error:
    """The error as Gradio shows it: a known one by its sentence, another by a reference."""
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, ChatAppError):
        sentence = words.error(error.code, error.sentence)
    else:
        reference = secrets.token_hex(4)
        _log.error("Unexpected failure, reference %s", reference, exc_info=error)
        sentence = words("unexpected", id=reference)
    return refusal(sentence, words)


def refusal(sentence: str, words: Words) -> gr.Error:
    """A sentence already in the reader's language, as Gradio shows it."""
    return gr.Error(sentence, title=words("failed"), print_exception=False)
