"""Near-duplicates are found among many texts as a comparison of all pairs would find them."""

from __future__ import annotations

import random
import time

import pytest

from chatapp.training.data.likeness import ALIKE, _likeness, _runs, alike_groups, alike_to

WORDS = (
    *("card", "parcel", "order", "refund", "delivery", "account", "password", "invoice", "tent"),
    *("kayak", "rope", "lamp", "stove", "today", "tomorrow", "please", "cannot", "where", "when"),
    *("return", "broken", "late", "early", "price", "shop", "online", "store"),
)


def made(count: int, seed: int) -> list[str]:
    """Sentences, many of them with a word changed."""
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(5, 14))) for _ in range(count // 2)]
    for text in texts[:]:
        words = text.split()
        words[draw.randrange(len(words))] = draw.choice(WORDS)
        texts.append(" ".join(words))
    draw.shuffle(texts)
    return texts


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_comparing_all_pairs_finds(seed: int) -> None:
    texts = made(240, seed)
    groups = alike_groups(texts)
    runs = [_runs(text) for text in texts]
    for one in range(len(texts)):
        for other in range(one):
            if _likeness(runs[one], runs[other]) >= ALIKE:
                assert groups[one] == groups[other], (texts[one], texts[other])
    assert len(set(groups)) > 100


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Where is my card?", "where is my card", True),
        ("When will my new cards be delivered?", "When will my new card be delivered", True),
        ("How much does the Alder tent cost?", "How much does the Birch stove cost?", False),
        ("What is the fee for a transfer?", "What is the fee for a new card?", False),
        ("送餐太慢了，等了一个半小时", "送餐太慢了等了一个半小时..", True),
        ("味道很好！", "服务很差！", False),
        ("", "", False),
        ("👍", "👍", True),
        ("👍", "👎", False),
        ("ok", "OK!", True),
    ],
)
def test_what_counts_as_the_same(one: str, other: str, alike: bool) -> None:
    groups = alike_groups([one, other])
    assert (groups[0] == groups[1]) is alike


def test_texts_of_different_kinds_are_together_only_if_they_are_the_same() -> None:
    texts = [
        "Is my new card already on its way to me?",
        "is my new card already on its way to me",
        "Is my new cards already on its way to me?",
    ]
    assert alike_groups(texts) == [0, 0, 0]
    assert alike_groups(texts, ["a", "b", "c"]) == [0, 0, 2]
    assert alike_groups(texts, ["a", "b", "b"]) == [0, 0, 0]


def test_alike_to_looks_at_each_pair_and_not_at_chains() -> None:
    more = ["", " today", " really", " sadly", " again", " which hurts", " my feelings"]
    begin = "I ordered a blue tent for two and it has not arrived by now"
    chain = [begin + "".join(more[: at + 1]) for at in range(len(more))]
    assert alike_groups(chain) == [0] * len(more)
    near = alike_to(chain[1:], chain[:1])
    assert 0 in near
    assert 5 not in near
    assert alike_to(["where is it", "", "?"], ["Where is it?", ""]) == [0]


def test_long_texts_are_compared_by_their_words() -> None:
    draw = random.Random(5)
    text = " ".join(draw.choices(WORDS, k=900))
    other = " ".join(draw.choices(WORDS, k=900))
    groups = alike_groups([text, other, text + " and so on"])
    assert groups == [0, 1, 0]


def test_a_group_is_named_after_its_first_text_whatever_is_between() -> None:
    assert alike_groups(["a b c d e f g", "x y z", "A b c d e f g!", "x y z."]) == [0, 1, 0, 1]
    assert alike_groups([]) == []


def test_twenty_thousand_texts_take_seconds_also_where_all_are_alike() -> None:
    texts = [f"I want to cancel the order {n} with the blue shoes" for n in range(20_000)]
    began = time.process_time()
    assert set(alike_groups(texts)) == {0}
    assert time.process_time() - began < 20
