"""Numbers, dates, prices and codes: what of an answer can be checked to the letter.

``１,０００``, ``1,000``, ``1.000`` and ``1 000`` are one number, ``2 weeks`` is ``14 days``,
``5 pm`` is ``17:00`` and ``5 May 2024`` is ``2024-05-05``. Number words are read in English and
Chinese, in sources also in a few more languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from chatapp.knowledge import figure_words as words
from chatapp.knowledge.sentences import CITATION

_LINK: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>()（），。]*[^\s<>()（），。.,;:!?]"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.ASCII,
)
_NOT_COUNTED: Final = re.compile(
    r"^\s*(?:[-*+>]\s+)*\(?\d{1,2}[.)、](?=\s)|\b(?:step|schritt|étape|paso|passo|stap)\s+\d{1,2}\b"
    r"|第[\d一二三四五六七八九十]{1,3}[步点條条]|步骤\s*[\d一二三四五六七八九十]{1,2}",
    re.IGNORECASE | re.MULTILINE,
)
"""Numbers that only count the steps of a list."""

_NO_DIGIT: Final = r"(?<![\d.,/-])"
_DATE: Final = re.compile(
    rf"{_NO_DIGIT}(?P<y1>\d{{4}})[-/.](?P<m1>\d{{1,2}})[-/.](?P<d1>\d{{1,2}})(?!\d)"
    rf"|{_NO_DIGIT}(?P<a>\d{{1,2}})(?P<sep>[-/.])(?P<b>\d{{1,2}})(?P=sep)(?P<y2>\d{{4}})(?!\d)"
    r"|(?:(?P<y3>\d{4})\s*年\s*)?(?<!\d)(?P<m3>\d{1,2})\s*月\s*(?P<d3>\d{1,2})\s*[日号]"
    rf"|{_NO_DIGIT}(?P<d4>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?"
    rf"(?P<n4>{words.MONTH_NAMES})\b\.?(?:,?\s+(?:de\s+)?(?P<y4>\d{{4}}))?"
    rf"|\b(?P<n5>{words.MONTH_NAMES})\.?\s+(?P<d5>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*[:%])"
    r"(?:,?\s+(?P<y5>\d{4}))?",
    re.IGNORECASE,
)
_TIME: Final = re.compile(
    r"(?<![\d.,:])(?P<h1>\d{1,2}):(?P<min>[0-5]\d)(?!\d)(?:\s*(?P<half1>[ap])\.?m\b\.?)?"
    r"|(?<![\d.,:])(?P<h2>\d{1,2})\s*(?P<half2>[ap])\.?m\b\.?"
    r"|(?<![\d.,:])(?P<h3>\d{1,2})\s*(?:[点點]|Uhr\b)",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(r"(?<![\w.,])(?:\+|\()?\d(?:[() /.-]{0,2}\d){6,}(?!\w|[.,]\d)")
_GROUPED: Final = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{3})+(?!\d)")
_CODE: Final = re.compile(
    r"(?<![\w-])(?<!\d[.,])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])"
    r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*(?![\w-])",
    re.ASCII,
)
_MEASURE: Final = re.compile(r"(\d+)-?([A-Za-z]+)")
_NUMBER: Final = re.compile(r"\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*")
_BEFORE: Final = re.compile(r"(US\$|[€$£¥]|EUR|USD|GBP|CNY|RMB|CHF|百分之)\s*\Z", re.IGNORECASE)
_AFTER: Final = re.compile(r"\s*-?(?:([^\W\d_]+|[%€$£¥])\s*)?([^\W\d_]+)?")
_SHORTEST_CODE: Final = 5
"""Characters from which on a code, address or phone number may also stand inside a word."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a text.

    Attributes:
        values: how it can be read; one reading in common makes two figures the same.
        unit: ``%``, a currency, ``minutes`` or ``months``; None where none is known.
        amounts: the readings in that unit.
    """

    shown: str
    values: frozenset[str]
    unit: str | None = None
    amounts: frozenset[str] = field(default=frozenset())

    def means(self, other: Figure) -> bool:
        """Whether the two may be the same."""
        if self.unit and other.unit:
            yen = {"¥", self.unit, other.unit} <= {"¥", "CNY", "JPY"}
            same = self.unit == other.unit or yen
            return same and not self.amounts.isdisjoint(other.amounts)
        return not self.values.isdisjoint(other.values)


_Reader = Callable[[re.Match[str], bool], Figure | None]


def figures(text: str, *, lenient: bool = False) -> list[Figure]:
    """The figures of a text; citations and the numbers of a list's steps are none.

    Args:
        lenient: read everything that may be a figure in every way it may be meant. Right for
            sources, where one too many does no harm.
    """
    rest = _NOT_COUNTED.sub(" ", CITATION.sub(" ", unicodedata.normalize("NFKC", text)))
    found: list[Figure] = []
    readers: tuple[tuple[re.Pattern[str], _Reader], ...] = (
        (_LINK, _link),
        (_DATE, _date),
        (_TIME, _time),
        (_PHONE, _phone),
    )
    for pattern, reader in readers:
        rest = _take(rest, pattern, reader, lenient, found)
    rest = words.in_digits(rest, lenient=lenient)
    rest = _take(rest, _CODE, _code, lenient, found)
    found += [_number(match) for match in _NUMBER.finditer(rest)]
    return found


class KnownFigures:
    """The figures of one source, read once to be compared with often."""

    def __init__(self, source: str) -> None:
        self._figures = figures(source, lenient=True)
        self._folded = _folded(source)

    def has(self, figure: Figure) -> bool:
        """Whether the source has this figure, in any way of writing it."""
        if any(figure.means(other) for other in self._figures):
            return True
        # A code, an address or a phone number may be written with other gaps.
        long = [_folded(value) for value in figure.values if len(value) >= _SHORTEST_CODE]
        return figure.unit is None and any(value in self._folded for value in long)


def missing(text: str, sources: Sequence[KnownFigures]) -> list[Figure]:
    """The figures of ``text`` that stand in none of the sources."""
    return [figure for figure in figures(text) if not any(source.has(figure) for source in sources)]


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(sign for sign in plain if sign.isalnum())


def _take(
    rest: str, pattern: re.Pattern[str], reader: _Reader, lenient: bool, found: list[Figure]
) -> str:
    """Read what ``pattern`` finds, and take it out of the text."""

    def read(match: re.Match[str]) -> str:
        figure = reader(match, lenient)
        if figure is None:
            return match[0]
        found.append(figure)
        return " " if figure.unit is None else f" {match[0]} "

    return pattern.sub(read, rest)


def _link(match: re.Match[str], _: bool) -> Figure:
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0].lower())
    return Figure(match[0], frozenset({_folded(bare)}))


def _date(match: re.Match[str], lenient: bool) -> Figure | None:
    part = match.groupdict()
    year = next((value for name, value in part.items() if name[0] == "y" and value), None)
    month = part["n4"] or part["n5"]
    if part["a"]:
        orders = {(part["b"], part["a"]), (part["a"], part["b"])}
    elif month:
        orders = {(str(words.MONTHS[month.lower()]), part["d4"] or part["d5"])}
    else:
        orders = {(part["m1"] or part["m3"], part["d1"] or part["d3"])}
    days = {f"{int(m)}-{int(d)}" for m, d in orders if int(m) <= 12 and int(d) <= 31}
    if not days:
        return None
    whole = {f"date {year}-{day}" for day in days} if year else set()
    # "5 May" is in "5 May 2024", but not the other way round.
    short = {f"date {day}" for day in days} if lenient or not year else set()
    return Figure(match[0], frozenset(whole | short))


def _time(match: re.Match[str], _: bool) -> Figure | None:
    hour = int(match["h1"] or match["h2"] or match["h3"])
    minute = int(match["min"] or 0)
    half = (match["half1"] or match["half2"] or "").lower()
    if hour > 24:
        return None
    hours = {hour % 12 + (12 if half == "p" else 0)} if half else {hour}
    if not half and hour < 12:
        hours.add(hour + 12)
    times = {f"time {60 * one + minute}" for one in hours}
    return Figure(match[0], frozenset(times | ({str(hour)} if minute == 0 else set())))


def _phone(match: re.Match[str], _: bool) -> Figure | None:
    shown = match[0]
    groups = re.findall(r"\d+", shown)
    digits = "".join(groups)
    if _NUMBER.fullmatch(shown) or _GROUPED.search(shown):
        return None
    if len(groups) < 3 and shown[0] not in "+(0":
        return None
    return Figure(shown, frozenset({digits}))


def _code(match: re.Match[str], _: bool) -> Figure | None:
    if measure := _MEASURE.fullmatch(match[0]):
        number, unit = measure.groups()
        if unit.lower() in words.UNITS or "-" in match[0]:
            return None  # "30days", "30-day": a number with its unit
        return Figure(match[0], frozenset({_folded(match[0]), number}))
    return Figure(match[0], frozenset({_folded(match[0])}))


def _number(match: re.Match[str]) -> Figure:
    readings = _readings(match[0])
    text = match.string
    before = _BEFORE.search(text, max(0, match.start() - 5), match.start())
    after = _AFTER.match(text, match.end())
    first, second = (after[1], after[2]) if after else (None, None)
    name = before[1].lower() if before else _unit_name(first, second)
    if name == "百分之":
        name = "%"
    values = frozenset(_plain(value) for value in readings)
    if first and first[0] in "万萬亿":
        factor = 100_000_000 if first[0] == "亿" else 10_000
        values |= {_plain(value * factor) for value in readings}
    if name is None or name not in words.UNITS:
        return Figure(match[0], values)
    unit, factor = words.UNITS[name]
    amounts = frozenset(_plain(Decimal(value) * factor) for value in values)
    return Figure(f"{match[0]} {name}", values, unit, amounts)


def _unit_name(first: str | None, second: str | None) -> str | None:
    """The unit at the beginning of what follows a number."""
    if first is None:
        return None
    if first.lower() in words.BETWEEN and second:
        first = second
    name = first.lower()
    if name in words.UNITS:
        return name
    # Chinese goes on without a space: 30天内.
    return next((name[:end] for end in (4, 3, 2, 1) if _is_wide_unit(name[:end])), None)


def _is_wide_unit(name: str) -> bool:
    return name in words.UNITS and ord(name[0]) > 0x2E80


def _readings(shown: str) -> list[Decimal]:
    """What a number may be: ``1.000`` is a thousand, or one."""
    plain = re.sub("[ \u00a0\u202f'’]", "", shown)
    marks = [sign for sign in plain if sign in ".,"]
    if not marks:
        return [Decimal(plain)]
    digits = plain.replace(".", "").replace(",", "")
    last = plain.rpartition(marks[-1])[2]
    if len(set(marks)) == 2:
        decimal = Decimal(f"{digits[: -len(last)]}.{last}")
        return [decimal] if marks.count(marks[-1]) == 1 else [Decimal(digits)]
    if len(marks) > 1:
        return [Decimal(digits)]
    decimal = Decimal(plain.replace(",", "."))
    return [decimal, Decimal(digits)] if len(last) == 3 else [decimal]


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
