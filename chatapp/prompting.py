"""What the model reads: the shown branch as turns, with the oldest left out where it must be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chatapp.errors import PromptTooLong
from chatapp.records import ChatMessage, Message

Count = Callable[[Sequence[ChatMessage]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Messages that fit, and what that cost."""

    messages: tuple[ChatMessage, ...]
    dropped_turns: int
    prompt_tokens: int


def as_prompt(system_prompt: str, branch: Sequence[Message]) -> list[ChatMessage]:
    """The shown branch as a model reads it.

    Answers without any text (failed, or stopped too early) are left out. Chat templates want
    questions and answers to alternate, so the questions around such a gap become one turn; a
    question that was simply asked again is not repeated, and one that was too long to be
    answered is left out, or nothing after it could be answered either.
    """
    prompt = [ChatMessage("system", system_prompt)] if system_prompt.strip() else []
    too_long = {m.parent_id for m in branch if m.error_code == PromptTooLong.__name__}
    for message in branch:
        if message.id in too_long or not message.text.strip():
            continue
        before = prompt[-1] if prompt else None
        if before is None or before.role != message.role:
            prompt.append(ChatMessage(message.role, message.text))
        elif before.content != message.text:
            prompt[-1] = ChatMessage(message.role, f"{before.content}\n\n{message.text}")
    return prompt


async def fit(
    messages: Sequence[ChatMessage], budget: int, count: Count, limit: int | None = None
) -> Fitted:
    """Drop the oldest turns until the prompt takes at most ``budget`` tokens.

    A turn is a question and everything up to the next one. System messages at the beginning and
    the last question always stay. Every count reads the whole prompt, so the turns to drop are
    searched from the newest backwards in doubling steps and then by halves: a conversation of a
    thousand turns is counted once in full, and after that only in pieces about as long as the
    context.

    Where eight turns or more fit, a few more than needed are dropped, at most a quarter: the
    number dropped is then the same for the next turns, their prompts begin alike, and an engine
    that keeps the prefix of a prompt need not read it again each time.

    Args:
        messages: the conversation, ending with the question.
        budget: most tokens the prompt should take, leaving room for the answer.
        count: tokens of the prompt that messages make.
        limit: the context length. If only the last question is left, it may take more than the
            budget, as long as it stays below this.

    Raises:
        PromptTooLong: the last question does not fit even alone.
    """
    tokens = await count(messages)
    if tokens <= budget:
        return Fitted(tuple(messages), 0, tokens)
    head, turns = _split(messages)

    def newest(kept: int) -> list[ChatMessage]:
        return [*head, *(message for turn in turns[len(turns) - kept :] for message in turn)]

    best = 1
    best_tokens = await count(newest(1)) if len(turns) > 1 else tokens
    if best_tokens > budget and best_tokens >= (limit or 0):
        raise PromptTooLong(best_tokens, limit or budget)
    too_many = len(turns)
    step = 1
    while best_tokens <= budget and too_many - best > 1:
        # Double while every try fits; once one did not, halve what is between.
        tried = min(best + step, too_many - 1)
        if too_many < len(turns):
            tried = (best + too_many) // 2
        tokens = await count(newest(tried))
        if tokens <= budget:
            best, best_tokens = tried, tokens
            step *= 2
        else:
            too_many = tried
    if spare := -(len(turns) - best) % _step(best):
        best -= spare
        best_tokens = await count(newest(best))
    return Fitted(tuple(newest(best)), max(0, len(turns) - best), best_tokens)


def _step(kept: int) -> int:
    """The number of turns dropped is a multiple of this power of two."""
    return 1 << max(0, kept.bit_length() - 3)


def _split(
    messages: Sequence[ChatMessage],
) -> tuple[list[ChatMessage], list[list[ChatMessage]]]:
    """System messages at the beginning, and the turns after them."""
    first = next((i for i, m in enumerate(messages) if m.role != "system"), len(messages))
    turns: list[list[ChatMessage]] = []
    for message in messages[first:]:
        if not turns or message.role == "user":
            turns.append([])
        turns[-1].append(message)
    return list(messages[:first]), turns
