"""Personal data in texts: e-mail addresses, phone and card numbers, IBANs and IP addresses.

What looks like one is checked: a card number by its check digit (Luhn), an IBAN by its remainder
(ISO 7064, mod 97), a phone number by the numbering plans of ``phonenumbers``. Names and postal
addresses are not found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple, get_args

Sort = Literal["email", "iban", "card", "ip", "phone"]
SORTS: tuple[Sort, ...] = get_args(Sort)
"""In the order in which they are looked for; what is one is not another."""

_MASKS: dict[Sort, str] = {
    "email": "[email]",
    "iban": "[IBAN]",
    "card": "[card number]",
    "ip": "[IP address]",
    "phone": "[phone number]",
}
_EMAIL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}@(?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?!\d|[.,]\d)")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)")
_IPV6 = re.compile(r"(?<![:\w])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![:\w])")
_PHONE = re.compile(r"[+(]?\d(?:[ ()./\-]{0,3}\d){6,16}")
_MOST_PHONES = 200
_AROUND = 3
"""Characters beside a candidate that speak against it: a letter, a currency sign."""
_CHINESE_MOBILE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}"
    r"|3[0689]\d{12}|6\d{15,18}|35\d{14}"
)
"""Beginnings and lengths of Visa, Mastercard, Amex, Diners, Discover, Maestro, UnionPay, JCB."""
_REGIONS = ("US", "GB", "DE", "CN")
"""Whose national way of writing numbers is known; others are found by their + and country code."""
_WRITTEN_AS_PHONE = re.compile(r"[+()]|\d[ \-./]\d")


class Found(NamedTuple):
    """Personal data, and where in the text."""

    sort: Sort
    start: int
    end: int
    value: str


def find_personal(text: str) -> list[Found]:
    """All personal data in a text, from left to right, without overlaps."""
    found: list[Found] = []
    for one in _candidates(text):
        if all(one.end <= other.start or one.start >= other.end for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def mask_personal(
    text: str, sorts: tuple[Sort, ...] = SORTS, keep: frozenset[str] = frozenset()
) -> str:
    """The text with ``[email]`` and the like in place of personal data.

    Args:
        text: any text.
        sorts: what is to be masked.
        keep: values that stay, such as the shop's own address.
    """
    parts: list[str] = []
    at = 0
    for one in find_personal(text):
        if one.sort in sorts and one.value not in keep:
            parts += [text[at : one.start], _MASKS[one.sort]]
            at = one.end
    return "".join([*parts, text[at:]])


def _candidates(text: str) -> Iterator[Found]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Found("email", *match.span(), match[0])
    if sum(map(str.isdigit, text)) >= 4 or "::" in text:
        yield from _numbers(text)


def _numbers(text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        if end := _iban_length(match[0]):
            yield Found("iban", match.start(), match.start() + end, match[0][:end])
    for match in _CARD.finditer(text):
        if _is_card(match[0]):
            yield Found("card", *match.span(), match[0])
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        if _is_address(match[0]):
            yield Found("ip", *match.span(), match[0])
    yield from _phones(text)


def _iban_length(candidate: str) -> int:
    """How many characters of a candidate are an IBAN; a word in capitals may follow it."""
    for end in range(len(candidate), 14, -1):
        if end < len(candidate) and candidate[end].isalnum():
            continue
        bare = re.sub("[ -]", "", candidate[:end])
        if 15 <= len(bare) <= 34:
            digits = "".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4])
            if int(digits) % 97 == 1:
                return end
    return 0


def _is_card(candidate: str) -> bool:
    """Luhn: double every second digit from the right, add up the digits, divide by ten."""
    digits = [int(letter) for letter in candidate if letter.isdecimal()]
    if not _ISSUED.fullmatch("".join(map(str, digits))):
        return False
    doubled = [
        digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4)
        for at, digit in enumerate(reversed(digits))
    ]
    return sum(doubled) % 10 == 0


def _is_address(candidate: str) -> bool:
    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)


def _phones(text: str) -> Iterator[Found]:
    import phonenumbers

    for match in _CHINESE_MOBILE.finditer(text):
        yield Found("phone", *match.span(), match[0])
    for candidate in islice(_PHONE.finditer(text), _MOST_PHONES):
        # A bare run of digits is an order number more often than a phone number.
        before = text[max(0, candidate.start() - 10) : candidate.start()].upper()
        if not _WRITTEN_AS_PHONE.search(candidate[0]) or "ISBN" in before:
            continue
        begin = max(0, candidate.start() - _AROUND)
        around = text[begin : candidate.end() + _AROUND]
        for region in _REGIONS:
            found = next(iter(phonenumbers.PhoneNumberMatcher(around, region)), None)
            if found is not None:
                yield Found("phone", begin + found.start, begin + found.end, found.raw_string)
                break
