"""Durations, sizes, shares and small figures, as a reader wants them."""

from __future__ import annotations

from chatapp.ui.teach.texts import TeachWords


def lasting_about(seconds: float, words: TeachWords) -> str:
    """How long something takes, roughly, e.g. ``about 4 min``."""
    if seconds < 90:
        return words("about_seconds", n=max(1, round(seconds)))
    if seconds < 5400:
        return words("about_minutes", n=round(seconds / 60))
    return words("about_hours", n=round(seconds / 3600, 1))


def memory(megabytes: float) -> str:
    """Memory or disk in the unit that suits."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{max(1, round(megabytes))} MB"


def percent(share: float, digits: int = 1) -> str:
    """A share from 0 to 1."""
    return f"{share * 100:.{digits}f} %"


def figure(value: float | None) -> str:
    """A number of unknown size with three or four digits; a dash where there is none."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 0.001:
        return f"{value:.1e}".replace("e-0", "e-").replace("-", "−")
    return f"{value:.3g}"
