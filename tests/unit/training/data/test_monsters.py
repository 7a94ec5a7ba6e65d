"""A few enormous or pathological texts slow nothing down and fill no memory."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from chatapp.training.data import augment, estimated_tokens, examine, split
from chatapp.training.data.likeness import alike_groups
from chatapp.training_records import Example

SIZE = 40_000
MONSTERS = {
    "one word": "a" * SIZE,
    "blanks within": "a" + " " * SIZE + "b",
    "signs": "?!" * (SIZE // 2) + "x",
    "quotes": "“" * SIZE,
    "digits": "1 " * (SIZE // 2),
    "addresses": "a@b." * (SIZE // 4),
    "colons": "::" * (SIZE // 2),
    "chinese": "我想退款" * (SIZE // 4),
    "words": " ".join(f"word{n}" for n in range(SIZE // 8)),
}


@pytest.mark.parametrize("name", MONSTERS)
def test_it_is_examined_split_and_rephrased(name: str) -> None:
    usual = [Example(text=f"How do I pay for number {n}?", label="ab"[n % 2]) for n in range(8)]
    rows = [*usual, *(Example(text=MONSTERS[name], label=label) for label in "ab")]
    began = time.process_time()
    found = examine(rows, (), "classify", estimated_tokens, 256).findings
    assert "contradiction" in {one.kind for one in found}
    examine(rows, (), "chat", estimated_tokens, 256)
    split(rows, 0.2, 0.2, 1, "classify")
    augment(rows, 1)
    assert time.process_time() - began < 10


def test_hundreds_of_kilobytes_are_compared_in_little_memory() -> None:
    texts = [" ".join(f"word{n * step}" for n in range(40_000)) for step in (1, 3)]
    tracemalloc.start()
    try:
        assert alike_groups([*texts, texts[0] + " end"]) == [0, 1, 0]
        assert tracemalloc.get_traced_memory()[1] < 120 * 1024**2
    finally:
        tracemalloc.stop()
