"""Copies ask the same in other words; facts, answers and labels stay."""

from __future__ import annotations

from random import Random

import pytest

from chatapp.knowledge.normalising import normalised
from chatapp.records import ChatMessage
from chatapp.training.data import augment, augmented_pairs
from chatapp.training.data.paraphrases import facts_of, paraphrased
from chatapp.training_records import Example

QUESTIONS = [
    "How do I return order 4711 to Anna?",
    "Can you tell me why my card isn't working?",
    "I want to know what's the fee for £20.50",
    "could you please not cancel my Visa card",
    "What is your address? I never got \"the blue one\".",
    "Is it possible to get a refund without a receipt?",
    "怎么退货？",
    "我想退订单 12345",
    "请问什么时候能收到《手册》？",
    "能不能不要发票",
    "Mon colis n'est pas arrivé",
    "It is late and I am not happy with https://shop.example/a?b=1",
]  # fmt: skip


@pytest.mark.parametrize("text", QUESTIONS)
@pytest.mark.parametrize("typos", [False, True])
def test_numbers_names_negations_and_quotations_stay(text: str, typos: bool) -> None:
    for seed in range(60):
        copy = paraphrased(text, Random(seed), typos=typos)
        if copy is not None:
            assert facts_of(copy) == facts_of(text), copy
            assert normalised(copy) != normalised(text)


def test_most_questions_have_copies_and_no_language_is_mistreated() -> None:
    examples = [Example(text=text, label="x") for text in QUESTIONS]
    copies = augment(examples, 42)
    assert len(copies) >= 7
    assert not [one for one in copies if "colis" in one.text]


def test_labels_answers_and_earlier_turns_stay() -> None:
    talk = Example(
        messages=(
            ChatMessage("user", "How do I pay?"),
            ChatMessage("assistant", "By card."),
            ChatMessage("user", "How do I pay by invoice?"),
            ChatMessage("assistant", "How do I know?"),
        ),
        row=7,
    )
    (copy,) = augment([talk], 1)
    assert copy.messages[:2] == talk.messages[:2]
    assert copy.messages[3] == talk.messages[3]
    assert copy.question != talk.question
    assert copy.row == 7
    assert {one.label for one in augment([Example(text="How do I pay?", label="pay")], 1)} == {
        "pay"
    }


def test_the_same_seed_gives_the_same_copies() -> None:
    examples = [Example(text=text, label="x") for text in QUESTIONS]
    assert augment(examples, 5) == augment(examples, 5)
    assert augment(examples, 5) != augment(examples, 6)
    backwards = augment(examples[::-1], 5)
    assert sorted(one.text for one in backwards) == sorted(one.text for one in augment(examples, 5))


def test_no_copy_repeats_another_row() -> None:
    texts = ["how do i pay", "how can i pay", "how could i pay"]
    for seed in range(30):
        copies = augment([Example(text=text, label="x") for text in texts], seed)
        asked = [normalised(text) for text in (*texts, *(one.text for one in copies))]
        assert len(set(asked)) == len(asked)


def test_no_copy_asks_what_another_part_asks() -> None:
    examples = [Example(text="how do i pay for the big blue tent by invoice", label="x")]
    apart = [Example(text="how can i pay for the big blue tent by invoice", label="x")]
    copies = [copy.text for seed in range(30) for copy in augment(examples, seed)]
    kept = [copy.text for seed in range(30) for copy in augment(examples, seed, apart)]
    assert "how can i pay for the big blue tent by invoice" in copies
    assert kept
    assert not [text for text in kept if "how can i" in text and "thanks" not in text.lower()]


def test_a_review_gets_no_greeting() -> None:
    reviews = ["味道很好，送餐很快，谢谢！", "太难吃了！！！", "The food was cold and late."]
    for seed in range(30):
        assert augment([Example(text=text, label="x") for text in reviews], seed) == []


def test_pairs_to_look_at() -> None:
    examples = [Example(text=text, label="x") for text in QUESTIONS]
    pairs = augmented_pairs(examples, 42, 3)
    assert len(pairs) == 3
    assert all(original in QUESTIONS and copy != original for original, copy in pairs)
