"""Charts as inline SVG."""

from __future__ import annotations

import math
import re

from chatapp.ui.teach.amounts import figure, lasting_about, memory
from chatapp.ui.teach.curves import Line, chart
from chatapp.ui.teach.texts import TeachWords

WORDS = TeachWords("en")


def drawn(*lines: Line) -> str:
    return chart(lines, WORDS, label="Loss", across="steps", key="loss")


def points(html: str) -> list[tuple[float, float]]:
    (path,) = re.findall(r'<polyline points="([^"]*)"', html)
    return [(float(x), float(y)) for x, y in (one.split(",") for one in path.split())]


def test_the_first_point_is_left_and_the_highest_is_up() -> None:
    html = drawn(Line("train", "a", [(1, 4.0), (10, 2.0), (20, 1.0)]))
    assert points(html) == [(0.0, 0.0), (47.37, 66.67), (100.0, 100.0)]
    assert "train <b>1</b>" in html


def test_every_point_stands_in_the_table() -> None:
    html = drawn(Line("a", "a", [(1, 4.0), (3, 2.0)]), Line("b", "b", [(2, 3.0)]))
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", html)
    assert rows == [("1", "4", "–"), ("2", "–", "3"), ("3", "2", "–")]


def test_a_single_point_a_flat_line_and_what_is_no_number_are_drawn() -> None:
    assert points(drawn(Line("a", "a", [(5, 2.0)])))[0][0] == 0
    flat = points(drawn(Line("a", "a", [(0, 2.0), (1, 2.0)])))
    assert flat[0][1] == flat[1][1]
    broken = points(drawn(Line("a", "a", [(0, 1.0), (1, math.nan), (2, math.inf), (3, 2.0)])))
    assert len(broken) == 2
    assert drawn(Line("a", "a", [])) == ""


def test_a_long_run_stays_small() -> None:
    html = drawn(Line("a", "a", [(step, 1 / (step + 1)) for step in range(20_000)]))
    assert len(points(html)) <= 401
    assert len(html) < 40_000


def test_names_are_harmless() -> None:
    assert "<b>x" not in drawn(Line("<b>x", "a", [(0, 1), (1, 2)])).replace("<b>2", "")


def test_figures_are_short() -> None:
    assert [figure(one) for one in (None, 0, 1234.5, 0.00002, 1.6823)] == [
        "–",
        "0",
        "1,234",
        "2.0e−5",
        "1.68",
    ]
    assert [memory(one) for one in (0.2, 840, 12_300)] == ["1 MB", "840 MB", "12.3 GB"]
    assert [lasting_about(one, WORDS) for one in (4, 300, 9000)] == ["4 s", "5 min", "2.5 h"]
