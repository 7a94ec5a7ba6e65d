"""Parts are fair, reproducible, and share nothing."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, product

import pytest

from chatapp.errors import DatasetError
from chatapp.records import ChatMessage
from chatapp.training.data import split
from chatapp.training.data.likeness import ALIKE, _likeness, _runs
from chatapp.training.data.task_view import asked_text
from chatapp.training_records import Example, Task
from tests.unit.training.data.test_likeness import WORDS, made


def labelled(texts: list[str], labels: int) -> list[Example]:
    return [Example(text=text, label=f"label {n % labels}", row=n) for n, text in enumerate(texts)]


def answered(texts: list[str], answer: str = "") -> list[Example]:
    """Each with an answer of its own where none is given."""
    turns = [(text, answer or f"It is {n}.") for n, text in enumerate(texts)]
    return [
        Example(messages=(ChatMessage("user", asked), ChatMessage("assistant", said)), row=n)
        for n, (asked, said) in enumerate(turns)
    ]


def random_texts(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.sample(WORDS, 10)) for _ in range(count)]


def test_shares_are_kept_and_every_row_is_in_one_part() -> None:
    examples = labelled(random_texts(400), 4)
    parts = split(examples, 0.1, 0.2, 42, "classify")
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 280,
        "validation": 40,
        "test": 80,
    }
    rows = [one.row for part in parts.values() for one in part]
    assert sorted(rows) == list(range(400))
    for part in parts.values():
        assert max(Counter(one.label for one in part).values()) - len(part) // 4 <= 1


def test_every_label_with_three_rows_is_in_every_part() -> None:
    texts = random_texts(130)
    labels = [f"l{n}" for n in range(30) for _ in range(3 + n % 3)] + ["two", "two", "one"]
    examples = [Example(text=t, label=k) for t, k in zip(texts, labels, strict=False)]
    parts = split(examples, 0.1, 0.1, 1, "classify")
    found = {name: {one.label for one in part} for name, part in parts.items()}
    assert found["train"] == set(labels)
    assert found["validation"] >= {f"l{n}" for n in range(30)}
    assert found["test"] >= {f"l{n}" for n in range(30)}


@pytest.mark.parametrize("task", ["classify", "chat"])
def test_nothing_alike_is_in_two_parts(task: Task) -> None:
    texts = made(300, 4)
    examples = labelled(texts, 2) if task == "classify" else answered(texts, "In Basel.")
    parts = split(examples, 0.15, 0.15, 7, task)
    assert min(len(part) for part in parts.values()) > 20
    for one, other in combinations(parts.values(), 2):
        for left, right in product(one, other):
            if left.answer == right.answer:
                asked = asked_text(left), asked_text(right)
                assert _likeness(*map(_runs, asked)) < ALIKE, asked


def test_questions_that_look_alike_but_have_different_answers_may_be_parted() -> None:
    texts = [
        f"How much does the {name} tent cost for a week in {month}?"
        for name in ("Alder", "Birch", "Cedar", "Dune")
        for month in ("May", "June", "July")
    ]
    assert all(split(answered(texts), 0.2, 0.2, 1, "chat").values())


def test_the_same_question_is_in_one_part_whatever_its_answers() -> None:
    texts = random_texts(40)
    parts = split(answered([*texts, *texts]), 0.2, 0.2, 1, "chat")
    asked = [{one.question for one in part} for part in parts.values()]
    assert all(not one & other for one, other in combinations(asked, 2))


def test_the_same_seed_gives_the_same_parts_in_whatever_order_the_rows_come() -> None:
    examples = labelled(random_texts(100), 2)
    shuffled = examples[:]
    random.Random(3).shuffle(shuffled)

    def rows(seed: int, of: list[Example]) -> set[int]:
        return {one.row for one in split(of, 0.1, 0.1, seed, "classify")["test"]}

    assert rows(42, examples) == rows(42, shuffled)
    assert rows(42, examples) != rows(43, examples)


def test_what_is_kept_for_measuring_is_in_no_part() -> None:
    texts = random_texts(60)
    examples = answered([*texts, "Where is the parcel that I ordered last week?"])
    parts = split(examples, 0.1, 0.1, 0, "chat", ["where is the parcel that I ordered last week"])
    assert {one.row for part in parts.values() for one in part} == set(range(60))


def test_too_few_different_rows_are_one_sentence() -> None:
    same = answered(
        [f"I want to cancel the order {n} with the blue shoes" for n in range(50)], "Done."
    )
    with pytest.raises(DatasetError, match=r"50 rows .* only 1 really different"):
        split(same, 0.1, 0.1, 0, "chat")


@pytest.mark.parametrize("count", [3, 4, 10])
def test_a_tiny_file_has_three_parts(count: int) -> None:
    parts = split(answered(random_texts(count)), 0.1, 0.1, 0, "chat")
    assert all(parts.values())
