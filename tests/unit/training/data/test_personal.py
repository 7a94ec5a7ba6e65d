"""Personal data is found where it is, and not where it only looks like it."""

from __future__ import annotations

import pytest

from chatapp.training.data import find_personal, mask_personal


@pytest.mark.parametrize(
    ("text", "sort", "value"),
    [
        (
            "Write to jo.doe+shop@mail.example.co.uk, please",
            "email",
            "jo.doe+shop@mail.example.co.uk",
        ),
        ("我的邮箱是zhang@example.com，谢谢", "email", "zhang@example.com"),
        ("My card 4111 1111 1111 1111 is lost", "card", "4111 1111 1111 1111"),
        ("5500-0000-0000-0004", "card", "5500-0000-0000-0004"),
        ("Pay to DE89 3704 0044 0532 0130 00 today", "iban", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("from 84.23.11.9 last night", "ip", "84.23.11.9"),
        ("from 2001:db8:85a3::8a2e:370:7334", "ip", "2001:db8:85a3::8a2e:370:7334"),
        ("Call +41 44 668 18 00 now", "phone", "+41 44 668 18 00"),
        ("Call (212) 736-5000 now", "phone", "(212) 736-5000"),
        ("请打13800138000", "phone", "13800138000"),
    ],
)
def test_found(text: str, sort: str, value: str) -> None:
    (found,) = find_personal(text)
    assert (found.sort, found.value) == (sort, value)
    assert text[found.start : found.end] == value
    assert value not in mask_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111111111111112 has not arrived",  # no valid check digit
        "My order number is 20260131004711",
        "It costs 1.299,00 and was 1,499.00 in 2025",
        "Version 1.2.3 of the app, and 10:30:45 on the clock",
        "DE00 1234 5678 9012 3456 78 is no account",
        "Follow @shop or write at home",
        "the book with the ISBN 4-04-425305-6",
        "0000 0000 0000 0000",
        "127.0.0.1 and 0.0.0.0 and 999.1.1.1",
        "2 or 3 weeks, 100 pieces, 5 - 7 days",
        "我买了3件，花了1299元，订单号 20260131",
    ],
)
def test_not_found(text: str) -> None:
    assert find_personal(text) == []
    assert mask_personal(text) == text


def test_several_in_one_text_and_some_that_stay() -> None:
    text = "a@b.com or c@d.org, card 4111111111111111."
    assert mask_personal(text) == "[email] or [email], card [card number]."
    assert mask_personal(text, ("email",), frozenset({"a@b.com"})) == (
        "a@b.com or [email], card 4111111111111111."
    )


@pytest.mark.parametrize(
    "text", ["a@" * 20_000, "1 " * 20_000, ":" * 20_000, "AA00" + "A " * 20_000]
)
def test_texts_that_are_made_to_be_slow_are_not(text: str) -> None:
    find_personal(text)
