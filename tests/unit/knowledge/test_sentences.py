"""Where sentences begin and end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chatapp.knowledge.sentences import complete, flowing, on_one_line, units


def read(text: str) -> list[str]:
    return [text[unit.start : unit.end] for unit in units(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It costs 3.50 EUR. See www.x.com/a.b for more.",
         ["It costs 3.50 EUR.", "See www.x.com/a.b for more."]),
        ("Ask Mr. Smith, e.g. by mail. It takes approx. 3 days.",
         ["Ask Mr. Smith, e.g. by mail.", "It takes approx. 3 days."]),
        ("Am 3. Mai ist zu. Danach nicht.", ["Am 3. Mai ist zu.", "Danach nicht."]),
        ("您好。退货期限是30天（从签收起）。“请保留包装。”谢谢！",
         ["您好。", "退货期限是30天（从签收起）。", "“请保留包装。”", "谢谢！"]),
        ("Within 30 days. [1] Then not. [2, 3]", ["Within 30 days. [1]", "Then not. [2, 3]"]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("", []),
        (" \n\n ", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_says(text: str, sentences: list[str]) -> None:
    assert read(text) == sentences


def test_lines_that_were_only_wrapped_do_not_end_a_sentence() -> None:
    text = (
        "This sentence of a printed page is so long that it goes on in the next\n"
        "line, and there it ends. Another one follows it here and is wrapped as\n"
        "well."
    )
    assert [flowing(one) for one in read(text)] == [
        "This sentence of a printed page is so long that it goes on in the next line, and there "
        "it ends.",
        "Another one follows it here and is wrapped as well.",
    ]
    assert flowing("退货期限是\n30天\n内") == "退货期限是 30天内"
    assert flowing("请保留\n包装") == "请保留包装"


def test_items_headings_and_rows_are_units_of_their_own() -> None:
    text = (
        "# Returns\nOpening hours\nWe need:\n- the receipt\n- the tags. All of them.\n\n"
        "| Product | Price |\n|---|---|\n| Tent | 199 |\n| Bag | |\n"
    )
    found = [(unit.kind, on_one_line(text, unit)) for unit in units(text)]
    assert found == [
        ("heading", "Returns"),
        ("heading", "Opening hours"),
        ("sentence", "We need:"),
        ("item", "the receipt"),
        ("item", "the tags."),
        ("sentence", "All of them."),
        ("row", "Product: Tent · Price: 199"),
        ("row", "Product: Bag"),
    ]


def test_a_row_without_a_header_is_its_cells() -> None:
    text = "| Tent | 199 |"
    assert [on_one_line(text, unit) for unit in units(text)] == ["Tent · 199"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Tw", ["One."]),
        ("One.", []),
        ("One. ", []),
        ("One. [1] Two", ["One. [1]"]),
        ("- a\n- b", ["- a"]),
        ("1. First", []),
        ("好的。可", ["好的。"]),
        ("It costs 3.5", []),
    ],
)
def test_text_that_is_still_written_is_cut_only_where_it_is_sure(
    text: str, pieces: list[str]
) -> None:
    cuts = [0, *complete(text)]
    assert [text[start:end] for start, end in pairwise(cuts)] == pieces


def test_cutting_while_writing_gives_the_same_as_afterwards() -> None:
    text = "You have 30 days. [1] Costs approx. 3.50 EUR!\n\n- Keep tags\n- Ask us. 好的。完了"
    whole = complete(text)
    seen: set[int] = set()
    for length in range(len(text) + 1):
        assert set(complete(text[:length])) <= set(whole)
        seen |= set(complete(text[:length]))
    assert seen == set(whole)
