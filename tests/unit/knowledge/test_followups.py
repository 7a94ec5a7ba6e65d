"""Questions that need the conversation before them."""

from __future__ import annotations

import pytest

from chatapp.knowledge.followups import standalone
from chatapp.records import ChatMessage, Role


def turns(*texts: str) -> list[ChatMessage]:
    roles: tuple[Role, Role] = ("user", "assistant")
    return [ChatMessage(roles[number % 2], text) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("question", "before", "needed"),
    [
        ("And for the blue one?", "How much is the Trail 2 tent?", ("Trail 2 tent", "How much")),
        ("How much does it cost?", "What is the warranty on the Trail 2 tent?", ("Trail 2 tent",)),
        ("And to Austria?", "Do you ship to Germany?", ("ship",)),
        ("Why?", "Can I return a used tent?", ("return", "used tent")),
        ("what about in winter?", "Is the sleeping bag warm enough?", ("sleeping bag", "warm")),
        ("Can I return them?", "I bought two sleeping bags.", ("sleeping bags",)),
        ("它防水吗？", "蓝色帐篷多少钱？", ("蓝色帐篷",)),
        ("蓝色的呢？", "红色帐篷多少钱？", ("多少钱", "帐篷")),
        ("多少钱？", "你们有双人帐篷吗？", ("双人帐篷",)),
        ("Und nach Österreich?", "Liefern Sie nach Deutschland?", ("Liefern",)),
    ],
)
def test_what_is_missing_is_added(question: str, before: str, needed: tuple[str, ...]) -> None:
    query = standalone(question, turns(before, "Some answer."))
    assert question in query
    for part in needed:
        assert part in query


@pytest.mark.parametrize(
    "question",
    [
        "How long can I return a tent?",
        "Is it possible to change my address?",
        "How long does it take to get a refund?",
        "And can I pay with PayPal?",
        "The item that I bought is broken, what now?",
        "Are there any shops in Bergen?",
        "退货需要多久？",
        "那怎么申请退款？",
        "Thanks a lot!",
        "x" * 5_000,
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert standalone(question, turns("Do you ship to Germany?", "Yes.")) == question


def test_the_first_question_of_a_conversation_is_left_alone() -> None:
    assert standalone("And for the blue one?", ()) == "And for the blue one?"
    assert standalone("Why?", [ChatMessage("system", "Be kind.")]) == "Why?"


def test_a_chain_of_fragments_keeps_its_beginning() -> None:
    history = turns("How much is the Trail 2 tent?", "€199", "And the blue one?", "€209")
    assert "Trail 2 tent" in standalone("And the red one?", history)


def test_a_name_in_the_answer_can_be_meant() -> None:
    history = turns("What is your cheapest tent?", "The Fell Basic 1 at 129 euros.")
    assert "Fell Basic 1" in standalone("Is it waterproof?", history)


def test_small_talk_in_between_does_not_hide_the_topic() -> None:
    history = turns("Do you ship to Germany?", "Yes.", "Thank you!", "You are welcome.")
    assert "Germany" in standalone("And to Austria?", history)


def test_the_newest_topic_wins() -> None:
    history = turns("Do you ship to Germany?", "Yes.", "How heavy is the boat?", "12 kg.")
    query = standalone("How much does it cost?", history)
    assert "boat" in query
    assert "Germany" not in query
