"""Sizes, days and durations."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from chatapp.ui.staff.figures import counted, day, lasting, size
from chatapp.ui.staff.texts import StaffWords

EN, ZH = StaffWords("en"), StaffWords("zh")
NOW = datetime(2025, 3, 9, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345, "12 kB"),
        (999_400, "999 kB"),
        (999_600, "1.0 MB"),
        (200 * 10**6, "200 MB"),
        (5 * 10**12, "5000 GB"),
    ],
)
def test_sizes_have_the_unit_that_suits(count: int, shown: str) -> None:
    assert size(count) == shown


@pytest.mark.parametrize(
    ("moment", "english", "chinese"),
    [
        (datetime(2025, 3, 9, 1, 5, tzinfo=UTC), "today 09:05", "今天 09:05"),
        (datetime(2025, 3, 8, 15, 0, tzinfo=UTC), "8 Mar", "3月8日"),
        (datetime(2025, 3, 8, 17, 0), "today 01:00", "今天 01:00"),
        (datetime(2024, 12, 31, 12, 0, tzinfo=UTC), "31 Dec 2024", "2024年12月31日"),
    ],
)
def test_days_go_by_the_readers_clock(moment: datetime, english: str, chinese: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert day(moment, EN, zone, NOW) == english
    assert day(moment, ZH, zone, NOW) == chinese


def test_counts_and_durations_read_well() -> None:
    assert counted(EN, "documents", 1) == "1 document"
    assert counted(EN, "documents", 1200) == "1,200 documents"
    assert lasting(0.2, EN) == "about 1 s left"
    assert lasting(240, EN) == "about 4 min left"
    assert lasting(9000, ZH) == "约剩 2 小时"
