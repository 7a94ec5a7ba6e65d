"""One example exactly as the model will see it, cut where it will be cut."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.config import RunConfig
from chatapp.training.data.measuring import estimated_tokens
from chatapp.training.data.rendering import encode, render
from chatapp.training.data.task_view import as_task
from chatapp.training_records import Example, Piece, Preview


def preview(example: Example, tokenizer_folder: Path | None, config: RunConfig) -> Preview:
    """Render an example; what is learned of it is marked.

    Args:
        example: any.
        tokenizer_folder: of the base; None where it is not known yet, so that tokens of a text to
            be sorted are only estimated.
        config: says the task, the system prompt and the length at which examples are cut.

    Raises:
        ModelError: the folder has no tokenizer, or its chat template rejects the conversation.
    """
    viewed = as_task(example, config.task)
    if config.task == "classify":
        return _to_sort(viewed, tokenizer_folder)
    assert tokenizer_folder is not None, "a chat is rendered by the model's own template"
    tokenizer = ChatTokenizer.load(tokenizer_folder)
    _, trained = encode(viewed, tokenizer, config.system_prompt, config.max_length)
    pieces = render(viewed, tokenizer, config.system_prompt, config.max_length)
    return Preview(pieces=tuple(pieces), tokens=len(trained), trained_tokens=sum(trained))


def _to_sort(example: Example, folder: Path | None) -> Preview:
    file = folder / "tokenizer.json" if folder else None
    if file is not None and file.is_file():
        tokens = len(Tokenizer.from_file(str(file)).encode(example.text).ids)
    else:
        tokens = estimated_tokens(example.text) + 2
    pieces = (
        Piece(text=example.text, trained=False),
        Piece(text=example.label or "", trained=True),
    )
    return Preview(pieces=pieces, tokens=tokens, trained_tokens=1)
