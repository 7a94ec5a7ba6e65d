"""The server that tutorials teach: ``generate``, a ``TextIteratorStreamer``, and a lock."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator

import torch
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer


class CountingStreamer(TextIteratorStreamer):
    """Knows how many tokens its text was; it holds text back until a word is complete."""

    tokens = 0

    def put(self, value: torch.Tensor) -> None:
        """Count, then stream."""
        if not (self.skip_prompt and self.next_tokens_are_prompt):
            self.tokens += value.numel()
        super().put(value)


class Request(BaseModel):
    """The few fields that such a server reads."""

    messages: list[dict[str, str]]
    max_tokens: int = 64


def make_app(folder: str) -> FastAPI:
    """The server around the model in ``folder``."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    lock = threading.Lock()
    app = FastAPI()

    def answer(request: Request) -> Iterator[str]:
        inputs = tokenizer.apply_chat_template(
            request.messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        streamer = CountingStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        options = {"max_new_tokens": request.max_tokens, "do_sample": False, "streamer": streamer}

        def generate() -> None:
            # Not around the loop below: a client that leaves would never give the lock back.
            with lock:
                model.generate(**inputs, **options)

        generating = threading.Thread(target=generate)
        generating.start()
        for text in streamer:
            yield _frame({"content": text}, None, streamer.tokens)
        generating.join()
        yield _frame({}, "stop", streamer.tokens) + "data: [DONE]\n\n"

    @app.post("/v1/chat/completions")
    def chat(request: Request) -> StreamingResponse:
        return StreamingResponse(answer(request), media_type="text/event-stream")

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _frame(delta: dict[str, str], finish: str | None, tokens: int) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    usage = {"completion_tokens": tokens}
    return f"data: {json.dumps({'choices': [choice], 'usage': usage})}\n\n"


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
