"""An example as the model reads it: the chat template applied, and which of it is learned.

Only the assistant's answers are learned, each with the token that ends its turn. A question is
rendered and encoded exactly as the engines do it before they answer, so that the model practises
from the very place where it will speak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage
from chatapp.training_records import Example, Piece


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of an example with its token ids."""

    text: str
    ids: list[int]
    trained: bool


def encode(
    example: Example, tokenizer: ChatTokenizer, system_prompt: str = "", max_length: int = 0
) -> tuple[list[int], list[bool]]:
    """Token ids, and for each whether the model learns to write it.

    Args:
        example: a conversation; plain text, which is learned as a whole; or a text with its label,
            which is a question with its answer.
        tokenizer: of the model that learns.
        system_prompt: stands above a conversation that has no system turn of its own.
        max_length: the end is cut off after so many tokens; 0 cuts nothing.

    Raises:
        ModelError: the model's chat template rejects the conversation.
    """
    ids: list[int] = []
    trained: list[bool] = []
    for part in _parts(example, tokenizer, system_prompt):
        ids += part.ids
        trained += [part.trained] * len(part.ids)
    length = max_length or len(ids)
    return ids[:length], trained[:length]


def render(
    example: Example,
    tokenizer: ChatTokenizer | Path,
    system_prompt: str = "",
    max_length: int = 0,
) -> list[Piece]:
    """The text that ``encode`` turns into tokens, control tokens included.

    Args:
        example: as for ``encode``.
        tokenizer: of the model that learns, or its folder.
        system_prompt, max_length: as for ``encode``.

    Raises:
        ModelError: as for ``encode``; or the folder has no tokenizer with a chat template.
    """
    if isinstance(tokenizer, Path):
        tokenizer = ChatTokenizer.load(tokenizer)
    pieces: list[Piece] = []
    length = 0
    for part in _parts(example, tokenizer, system_prompt):
        text = tokenizer.shown(part.text)
        if max_length and length + len(part.ids) > max_length:
            kept = tokenizer.decode(part.ids[: max_length - length], control=True)
            text = kept.rstrip("\ufffd")  # half a character
        length += len(part.ids)
        if pieces and pieces[-1].trained == part.trained:
            text = pieces.pop().text + text
        if text:
            pieces.append(Piece(text=text, trained=part.trained))
        if max_length and length >= max_length:
            break
    return pieces


def conversation_of(example: Example, system_prompt: str = "") -> tuple[ChatMessage, ...]:
    """The turns of an example; none of plain text."""
    messages = example.messages
    if not messages and example.label is not None:
        messages = (ChatMessage("user", example.text), ChatMessage("assistant", example.label))
    if system_prompt and messages and messages[0].role != "system":
        return (ChatMessage("system", system_prompt), *messages)
    return messages


def _parts(example: Example, tokenizer: ChatTokenizer, system_prompt: str) -> Iterator[_Part]:
    messages = conversation_of(example, system_prompt)
    if not messages:
        text = tokenizer.defused(example.text)
        yield from _learned(text, tokenizer, last=True)
        return
    spans = _spans(tokenizer, messages)
    for index, (text, trained) in enumerate(spans):
        if trained:
            yield from _learned(text, tokenizer, last=index == len(spans) - 1)
        else:
            yield _Part(text, tokenizer.encode_rendered(text), trained=False)


def _spans(tokenizer: ChatTokenizer, messages: tuple[ChatMessage, ...]) -> list[tuple[str, bool]]:
    """The rendered conversation, cut where answers begin and end.

    An answer begins where the prompt for it ends. Where a template writes the past otherwise than
    the present (some drop the reasoning of earlier answers), earlier answers are not learned; and
    where even the last answer is not what follows its prompt, the bare answer is put there.
    """
    whole = tokenizer.rendered(messages, answering=False)
    spans: list[tuple[str, bool]] = []
    at = 0
    for index, turn in enumerate(messages):
        if turn.role != "assistant" or index == 0:
            continue
        last = index == len(messages) - 1
        before = tokenizer.rendered(messages[:index], answering=True)
        after = whole if last else tokenizer.rendered(messages[: index + 1], answering=False)
        if whole.startswith(after) and after.startswith(before):
            spans += [(whole[at : len(before)], False), (whole[len(before) : len(after)], True)]
            at = len(after)
        elif last:
            return [(before, False), (tokenizer.defused(turn.content), True)]
    if at < len(whole):
        spans.append((whole[at:], False))
    return spans


def _learned(text: str, tokenizer: ChatTokenizer, *, last: bool) -> Iterator[_Part]:
    """An answer up to the token that ends it; what the template writes after that is not learned,
    for nothing is generated any more."""
    ids = tokenizer.encode_rendered(text)
    ends = [at for at, one in enumerate(ids) if one in tokenizer.eos_ids]
    if not ends:
        closing = [min(tokenizer.eos_ids)] if last and tokenizer.eos_ids else []
        yield _Part(text, ids + closing, trained=True)
        return
    cut = ends[-1] + 1
    rest = tokenizer.decode(ids[cut:])
    if rest and text.endswith(rest):
        yield _Part(text[: -len(rest)], ids[:cut], trained=True)
        yield _Part(rest, ids[cut:], trained=False)
    else:
        yield _Part(text, ids[:cut], trained=True)
        yield _Part("", ids[cut:], trained=False)
