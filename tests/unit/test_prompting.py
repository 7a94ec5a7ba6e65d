"""What the model reads, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from chatapp.errors import PromptTooLong
from chatapp.prompting import as_prompt, fit
from chatapp.records import ChatMessage, Message, MessageStatus, Role


class Counter:
    """Counts a token for each word and two for each message."""

    def __init__(self) -> None:
        self.calls = 0
        self.read = 0

    async def __call__(self, messages: Sequence[ChatMessage]) -> int:
        self.calls += 1
        tokens = sum(len(m.content.split()) + 2 for m in messages)
        self.read += tokens
        return tokens


def turns(number: int, words: int = 8) -> list[ChatMessage]:
    """A system prompt, then questions and answers, then a last question."""
    text = " ".join(["w"] * words)
    pairs = [
        ChatMessage(role, f"{i} {text}") for i in range(number) for role in ("user", "assistant")
    ]
    return [ChatMessage("system", "be kind"), *pairs, ChatMessage("user", "the last one")]


async def test_what_fits_stays_whole() -> None:
    count = Counter()
    fitted = await fit(turns(3), 1000, count)
    assert fitted.messages == tuple(turns(3))
    assert (fitted.dropped_turns, count.calls) == (0, 1)
    assert fitted.prompt_tokens == await count(fitted.messages)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 8, 9, 30])
@pytest.mark.parametrize("room", range(9, 120, 7))
async def test_exactly_the_oldest_turns_are_dropped(number: int, room: int) -> None:
    messages = turns(number)
    fitted = await fit(messages, room, Counter())
    # A turn is 2 messages of 9 words and 2; the ends are 2 + 2 and 3 + 2.
    kept = min(number, (room - 9) // 22)
    assert kept < 7  # with the last one, fewer than eight: no more are dropped than needed
    assert fitted.dropped_turns == number - kept
    assert fitted.messages == (messages[0], *messages[1 + 2 * (number - kept) :])
    assert fitted.prompt_tokens == 9 + 22 * kept <= room


async def test_a_last_question_that_does_not_fit_is_refused() -> None:
    question = ChatMessage("user", "w " * 50)
    with pytest.raises(PromptTooLong) as caught:
        await fit([*turns(5)[:-1], question], 40, Counter(), limit=50)
    assert caught.value.facts == {"tokens": 56, "limit": 50}
    with pytest.raises(PromptTooLong):
        await fit([question], 40, Counter())
    with pytest.raises(PromptTooLong):
        await fit([ChatMessage("system", "w " * 50)], 40, Counter())


async def test_a_long_last_question_may_use_the_room_of_the_answer() -> None:
    question = ChatMessage("user", "w " * 50)
    with pytest.raises(PromptTooLong):
        await fit([*turns(5)[:-1], question], 40, Counter(), limit=56)
    fitted = await fit([*turns(5)[:-1], question], 40, Counter(), limit=57)
    assert fitted.messages == (turns(5)[0], question)
    assert (fitted.dropped_turns, fitted.prompt_tokens) == (5, 56)


async def test_an_answer_that_was_begun_stays_with_its_question() -> None:
    begun = [*turns(5), ChatMessage("assistant", "so far")]
    fitted = await fit(begun, 14, Counter())
    assert fitted.messages == (begun[0], *begun[-2:])
    assert fitted.dropped_turns == 5


async def test_a_thousand_turns_are_not_counted_a_thousand_times() -> None:
    count = Counter()
    fitted = await fit(turns(1000, words=98), 8000, count)
    assert fitted.dropped_turns == 968  # 961 would do; a multiple of 8 is taken
    assert fitted.prompt_tokens == await Counter()(fitted.messages)
    assert count.calls <= 15
    everything = await Counter()(turns(1000, words=98))
    assert count.read < 1.5 * everything


async def test_the_prompts_of_a_long_conversation_mostly_begin_alike() -> None:
    starts = []
    for number in range(40, 56):
        fitted = await fit(turns(number), 9 + 22 * 18, Counter())
        assert 18 - 4 < len(fitted.messages) // 2 <= 18 + 1
        starts.append(fitted.dropped_turns)
    assert len(set(starts)) == 5  # and not 16


def message(
    role: Role, text: str, status: MessageStatus = "complete", code: str | None = None
) -> Message:
    return Message(
        id=f"{role} {text}",
        conversation_id="c",
        parent_id=None,
        role=role,
        text=text,
        status=status,
        created_at=datetime.now(UTC),
        error_code=code,
    )


def chain(*messages: Message) -> list[Message]:
    parents = [None, *(m.id for m in messages)]
    return [
        Message(**{name: getattr(m, name) for name in Message.__slots__} | {"parent_id": parent})
        for m, parent in zip(messages, parents, strict=False)
    ]


def test_a_branch_becomes_turns() -> None:
    branch = chain(message("user", "q"), message("assistant", "a"), message("user", "q2"))
    expected = [ChatMessage("user", "q"), ChatMessage("assistant", "a"), ChatMessage("user", "q2")]
    assert as_prompt("be kind", branch) == [ChatMessage("system", "be kind"), *expected]
    assert as_prompt("  ", branch) == expected


def test_the_answer_being_written_is_not_part_of_its_prompt() -> None:
    branch = chain(message("user", "q"), message("assistant", "", "writing"))
    assert as_prompt("", branch) == [ChatMessage("user", "q")]


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_questions_around_an_empty_answer_become_one_turn(status: MessageStatus) -> None:
    lost = message("assistant", "", status)
    branch = chain(message("user", "q"), lost, message("user", "more"))
    assert as_prompt("", branch) == [ChatMessage("user", "q\n\nmore")]
    again = chain(message("user", "q"), lost, message("user", "q"))
    assert as_prompt("", again) == [ChatMessage("user", "q")]


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_half_an_answer_counts_as_one(status: MessageStatus) -> None:
    branch = chain(message("user", "q"), message("assistant", "ha", status), message("user", "r"))
    assert [m.content for m in as_prompt("", branch)] == ["q", "ha", "r"]


def test_a_question_that_was_too_long_does_not_block_the_next() -> None:
    branch = chain(
        message("user", "endless"),
        message("assistant", "", "failed", "PromptTooLong"),
        message("user", "short"),
    )
    assert as_prompt("", branch) == [ChatMessage("user", "short")]
