"""Numbers, dates, prices and codes, however they are written."""

from __future__ import annotations

import pytest

from chatapp.knowledge.figures import KnownFigures, figures, missing


def absent(answer: str, source: str) -> list[str]:
    return [figure.shown for figure in missing(answer, [KnownFigures(source)])]


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("It costs 1,000 EUR.", "Preis: 1.000 €"),
        ("３０ days", "within 30 days"),
        ("2 weeks", "14 days"),
        ("14 days", "two weeks"),
        ("fourteen days", "a 14-day return"),
        ("30 days", "dreißig Tage"),
        ("三十天内可以退货", "30 days"),
        ("30天", "within thirty days"),
        ("12 months", "a one-year warranty"),
        ("24 hours", "within a day"),
        ("until 5 pm", "9:00–17:00"),
        ("from 9 to 17", "9:00–17:00"),
        ("5 May 2024", "2024-05-05"),
        ("on May 5", "2024年5月5日"),
        ("05/06/2024", "6 May 2024"),
        ("code SAVE20", "use save-20 now"),
        ("TR-200 weighs 2.5kg", "TR 200: 2,5 kg"),
        ("+49 30 123456-7", "(+49) 30 1234567"),
        ("write to help@shop.com", "E-mail: help@shop.com."),
        ("see www.shop.de/returns.", "https://shop.de/returns"),
        ("¥30", "30元"),
        ("30 percent", "30%"),
        ("百分之三十", "30%"),
        ("100,000 users", "10万用户"),
        ("5 business days", "5个工作日"),
        ("It is 1 299 000.", "1.299.000"),
        ("1. First\n2. Second [3]", "no figure at all"),
        ("一起来，找一家店", "没有数字"),
        ("That one is fine.", "no figure at all"),
    ],
)
def test_the_same_figure_in_another_dress_is_found(answer: str, source: str) -> None:
    assert absent(answer, source) == []


@pytest.mark.parametrize(
    ("answer", "source", "shown"),
    [
        ("within 90 days", "within 30 days", "90 days"),
        ("30 months", "30 days", "30 months"),
        ("30 hours", "30 days", "30 hours"),
        ("$30", "30 €", "30 $"),
        ("30%", "30 €", "30 %"),
        ("5 May 2025", "5 May 2024", "5 May 2025"),
        ("5 May 2025", "every 5 May", "5 May 2025"),
        ("use SAVE25", "use SAVE20", "SAVE25"),
        ("call 400-800-1234", "call 400-800-9999", "400-800-1234"),
        ("write to x@shop.com", "write to help@shop.com", "x@shop.com"),
        ("四十天", "30天", "40 天"),
        ("ninety days", "30 days", "90 days"),
        ("open until 19:30", "9:00–17:00", "19:30"),
    ],
)
def test_another_figure_is_missing(answer: str, source: str, shown: str) -> None:
    assert absent(answer, source) == [shown]


def test_a_figure_may_stand_in_any_source() -> None:
    sources = [KnownFigures("30 days"), KnownFigures("€5")]
    assert missing("5 euros within 30 days", sources) == []


def test_a_text_without_figures_has_none() -> None:
    assert figures("Unused items can be returned. [1]") == []
