"""Which questions count as the same, and which do not."""

from __future__ import annotations

import pytest

from chatapp.knowledge.normalising import normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I return a tent?", "how do i return a tent"),
        ("  How  do I\nreturn a tent ?!", "How do I return a tent"),
        ("Ｈｏｗ ｄｏ Ｉ ｒｅｔｕｒｎ？", "how do I return"),
        ("I don’t know", "i DON'T know"),
        ("I dont know", "I don´t know"),
        ("“Delivery” – when?", '"delivery" - when'),
        ("怎么退货？", "怎么 退货"),
        ("iPhone 怎么退货？", "iPhone怎么退货"),
        ("第１０单", "第10单"),
        ("ﾊﾞｯｸﾊﾟｯｸ", "バックパック"),
        ("STRASSE", "Straße"),
        ("Cafe\u0301", "café"),
        ("İPTAL nasıl edilir", "iptal nasıl edilir"),
        ("soft\u00adware", "software"),
        ("zero\u200bwidth", "zerowidth"),
        ("Is it open? 😀", "is it open"),
        ("snake_case", "snake case"),
        ("Yes, the price: 5.", "yes the price 5"),
    ],
)
def test_these_are_the_same(one: str, other: str) -> None:
    assert normalised(one) == normalised(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("version 2.5", "version 25"),
        ("1,000 points", "1 000 points"),
        ("50% off", "50 off"),
        ("C++ course", "C course"),
        ("$5 coupon", "€5 coupon"),
        ("résumé", "resume"),
        ("in stock", "instock"),
        ("10:30", "1030"),
        ("เสื้อ", "เสอ"),
        ("हिंदी", "हद"),
    ],
)
def test_these_are_not(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize("text", ["", "   ", "?!…", "。、", "😀", "'", "\u200b"])
def test_what_says_nothing_is_empty(text: str) -> None:
    assert normalised(text) == ""


@pytest.mark.parametrize("text", ["Ǆ ǰ ΐ", "½ ﬁ ㎏ ①", "İstanbul’da 3.5%", "a b", "เสื้อ ผ้า"])
def test_doing_it_again_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_it_reads_what_no_writing_system_has() -> None:
    assert normalised("\ud800 lone \x00 surrogate") == "lone surrogate"
