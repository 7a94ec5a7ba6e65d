"""Words that are figures: months, units, currencies and spelt-out numbers."""

from __future__ import annotations

import re
from typing import Final

_MONTHS: Final = (
    "january jan januar janvier enero gennaio januari janeiro",
    "february feb februar février febrero febbraio februari fevereiro",
    "march mar märz mars marzo maart março",
    "april apr avril abril aprile",
    "may mai mayo maggio mei maio",
    "june jun juni juin junio giugno junho",
    "july jul juli juillet julio luglio julho",
    "august aug août agosto augustus",
    "september sep sept septembre septiembre settembre setembro",
    "october oct oktober okt octobre octubre ottobre outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre diciembre dicembre dezembro",
)
MONTHS: Final = {
    name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
}
MONTH_NAMES: Final = "|".join(sorted(MONTHS, key=len, reverse=True))

_UNITS: Final = {
    ("minutes", 1): "minute minutes min mins minuten minuto minutos minuti minut минут 分钟 分鐘",
    ("minutes", 60): "hour hours hr hrs h stunde stunden std heure heures hora horas ora ore uur "
    "uren godzin часов часа 小时 小時 个小时 時間",
    ("minutes", 1440): "day days tag tage tagen tages jour jours día días dia dias giorno giorni "
    "dag dagen dni dzień день дней дня gün 天 日 个工作日 工作日 自然日 日間 일",
    ("minutes", 10080): "week weeks woche wochen semaine semaines semana semanas settimana "
    "settimane weken tydzień tygodni неделя недели недель hafta 周 星期 个星期 週間 주",
    ("months", 1): "month months monat monate monaten mois mes meses mese mesi maand maanden mês "
    "miesiąc miesięcy месяц месяца месяцев ay 个月 個月 月 ヶ月 か月 개월",
    ("months", 12): "year years yr yrs jahr jahre jahren an ans année années año años anno anni "
    "jaar jaren ano anos rok lat лет года yıl 年 年间 년",
    ("%", 1): "% percent percents prozent pourcent procent procento процентов процента 퍼센트",
    ("EUR", 1): "€ eur euro euros евро 欧元",
    ("USD", 1): "$ us$ usd dollar dollars доллар долларов 美元",
    ("GBP", 1): "£ gbp pound pounds 英镑",
    ("CNY", 1): "cny rmb yuan 元 块 人民币",
    ("¥", 1): "¥",
    ("JPY", 1): "jpy yen 円 日元",
    ("CHF", 1): "chf",
}
UNITS: Final = {
    word: (family, factor) for (family, factor), row in _UNITS.items() for word in row.split()
}
"""A unit as it is written, to what it measures and how many of the smallest one it is."""

BETWEEN: Final = frozenset(
    {"business", "working", "calendar", "full", "consecutive", "more", "other", "个"}
)
"""Words that may stand between a number and its unit."""

_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH: Final = {word: value for value, word in enumerate(_SMALL.split()) if value > 1} | {
    word: 10 * value for value, word in enumerate(_TENS.split(), start=2)
}
_SCALE: Final = {"hundred": 100, "thousand": 1000}
_ANY: Final = "|".join([*_ENGLISH, "one"])
_ENGLISH_NUMBER: Final = re.compile(
    rf"\b(?:(?:{_ANY})[- ])?(?:{_ANY})(?:[- ](?:hundred|thousand))?\b", re.IGNORECASE
)
_ONE: Final = re.compile(r"\b(?:an?|one)(?=[- ](?:minute|hour|day|week|month|year)\b)", re.I)
_OTHER: Final = {
    word: value
    for value, row in {
        1: "ein eine einem einen un une uno una een",
        2: "zwei deux dos due twee dois duas",
        3: "drei trois tres tre drie três",
        4: "vier quatre cuatro quattro quatro",
        5: "fünf cinq cinco cinque vijf",
        6: "sechs seis sei zes",
        7: "sieben sept siete sette zeven sete",
        8: "acht huit ocho otto oito",
        9: "neun neuf nueve nove negen",
        10: "zehn dix diez dieci tien dez",
        12: "zwölf douze doce dodici twaalf doze",
        14: "vierzehn quatorze catorce quattordici veertien",
        15: "fünfzehn quinze quince quindici vijftien",
        20: "zwanzig vingt veinte venti twintig vinte",
        24: "vierundzwanzig",
        30: "dreißig trente treinta trenta dertig trinta",
        60: "sechzig soixante sesenta sessanta zestig sessenta",
    }.items()
    for word in row.split()
}
_OTHER_NUMBER: Final = re.compile(rf"\b(?:{'|'.join(_OTHER)})\b", re.IGNORECASE)

_DIGITS: Final = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "兩": 2,
}
_POWERS: Final = {"十": 10, "百": 100, "千": 1000}
_CHINESE_NUMBER: Final = re.compile(r"(?<![\d.])[零〇一二两兩三四五六七八九十百千万萬]+")
_COUNTED: Final = re.compile(
    r"\s*(?:个?(?:工作日|小时|月|星期)|天|日|周|年|分钟|元|块|件|次|名|位|折|倍|公斤|克|米|公里|升|%)"
)


def in_digits(text: str, *, lenient: bool) -> str:
    """The text with spelt-out numbers as digits.

    Args:
        lenient: also those that are often another word, and those of more languages.
    """
    text = _ENGLISH_NUMBER.sub(lambda match: _english(match[0], lenient), text)
    if lenient:
        text = _ONE.sub("1", text)
        text = _OTHER_NUMBER.sub(lambda match: f" {_OTHER[match[0].lower()]} ", text)
    return _CHINESE_NUMBER.sub(lambda match: _chinese(match, lenient), text)


def _english(words: str, lenient: bool) -> str:
    total = 0
    parts = re.split("[- ]", words.lower())
    if parts == ["one"]:
        return "1" if lenient else words
    for part in parts:
        if part in _SCALE:
            total *= _SCALE[part]
        else:
            total += 1 if part == "one" else _ENGLISH[part]
    return f" {total} "


def _chinese(match: re.Match[str], lenient: bool) -> str:
    counted = _COUNTED.match(match.string, match.end())
    sure = len(match[0]) > 1 or match[0] != "一"
    if not lenient and not (counted and sure):
        return match[0]
    total, part, digit = 0, 0, 0
    for sign in match[0]:
        if sign in _DIGITS:
            digit = 10 * digit + _DIGITS[sign]
        elif sign in _POWERS:
            part += (digit or 1) * _POWERS[sign]
            digit = 0
        else:
            total, part, digit = (total + part + digit or 1) * 10_000, 0, 0
    return f" {total + part + digit} "
