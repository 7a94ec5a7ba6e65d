"""Sizes, counts, days and durations as a reader wants them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from chatapp.ui.staff.texts import StaffWords

_UNITS = ("kB", "MB", "GB")


def size(count: int) -> str:
    """Bytes, in the unit that suits."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in _UNITS:
        value /= 1000
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    raise AssertionError("unreachable")


def counted(words: StaffWords, key: str, count: int) -> str:
    """``count`` things, in the singular where there is one."""
    return words(f"{key}_one" if count == 1 else key, n=count)


def day(moment: datetime, words: StaffWords, zone: tzinfo, now: datetime | None = None) -> str:
    """The day, by the reader's clock: today's as its time, an old one with its year."""
    here = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)
    today = (now or datetime.now(UTC)).astimezone(zone)
    if here.date() == today.date():
        return words("today_at", time=f"{here:%H:%M}")
    if words.language == "zh":
        return (
            f"{here.year}年{here.month}月{here.day}日"
            if here.year != today.year
            else (f"{here.month}月{here.day}日")
        )
    return f"{here.day} {here:%b}" + (f" {here.year}" if here.year != today.year else "")


def lasting(seconds: float, words: StaffWords) -> str:
    """How long something will still take, roughly."""
    if seconds < 90:
        return words("seconds_left", n=max(1, round(seconds)))
    if seconds < 5400:
        return words("minutes_left", n=round(seconds / 60))
    return words("hours_left", n=round(seconds / 3600))
