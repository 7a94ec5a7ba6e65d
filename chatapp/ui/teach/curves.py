"""Line charts as inline SVG in the theme's colours, each with its numbers as a table.

Drawn here and not by a charting library: they follow light and dark by themselves, stand in the
downloaded report without a script, and cost the page nothing while it polls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from chatapp.training_records import MetricPoint
from chatapp.ui.teach.amounts import figure
from chatapp.ui.teach.texts import TeachWords

_MOST: Final = 400
"""Points of a line that are drawn; more could not be told apart."""
_ROWS: Final = 200
_DOTS: Final = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart; ``kind`` names its colour: ``a`` to ``f``, ``dotted`` its dashes."""

    name: str
    kind: str
    points: Sequence[tuple[float, float]]
    dotted: bool = False


def losses(points: Sequence[MetricPoint], words: TeachWords) -> list[Line]:
    """Training and validation loss by step."""
    train = [(point.step, point.loss) for point in points if point.loss is not None]
    held_out = [(point.step, point.eval_loss) for point in points if point.eval_loss is not None]
    lines = [
        Line(words("train_loss"), "b", train),
        Line(words("validation_loss"), "a", held_out),
    ]
    return [line for line in lines if line.points]


def chart(
    lines: Sequence[Line],
    words: TeachWords,
    *,
    label: str,
    across: str,
    key: str,
    zero: bool = False,
) -> str:
    """The lines over each other, with a legend.

    Args:
        label: what is shown, for who cannot see it.
        across: what the horizontal axis counts.
        key: stable name, by which the page remembers whether the table is unfolded.
        zero: whether the vertical axis begins at zero.
    """
    known = [line for line in lines if line.points]
    if not known:
        return ""
    spans = _Spans.of(known, zero=zero)
    drawn = "".join(_line(line, spans) for line in known)
    legend = "".join(
        f'<li data-line="{line.kind}"{" data-dotted" if line.dotted else ""}>{escape(line.name)} '
        f"<b>{figure(line.points[-1][1])}</b></li>"
        for line in known
    )
    ticks = "".join(
        f'<span style="top:{spans.y(tick):.2f}%">{figure(tick)}</span>' for tick in spans.ticks
    )
    grid = "".join(
        f'<line class="grid" x1="0" x2="100" y1="{spans.y(tick):.2f}" y2="{spans.y(tick):.2f}"/>'
        for tick in spans.ticks
    )
    return (
        f'<figure class="chart"><figcaption><ul class="legend">{legend}</ul></figcaption>'
        f'<div class="plot"><div class="ticks" aria-hidden="true">{ticks}</div>'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{grid}{drawn}</svg><div class="axis" aria-hidden="true">'
        f"<span>{figure(spans.left)}</span><span>{escape(across)}</span>"
        f"<span>{figure(spans.right)}</span></div></div>"
        f"{_numbers(known, across, key, words)}</figure>"
    )


@dataclass(frozen=True, slots=True)
class _Spans:
    left: float
    right: float
    low: float
    high: float
    ticks: Sequence[float]

    @classmethod
    def of(cls, lines: Sequence[Line], *, zero: bool) -> _Spans:
        across = [x for line in lines for x, _ in line.points]
        up = [y for line in lines for _, y in line.points if math.isfinite(y)] or [0.0, 1.0]
        low, high = (0.0 if zero else min(up)), max(up)
        ticks = _ticks(low, high if high > low else low + max(abs(low), 1) * 0.1)
        return cls(min(across), max(across), ticks[0], ticks[-1], ticks)

    def x(self, value: float) -> float:
        """In percent from the left."""
        return (value - self.left) / ((self.right - self.left) or 1) * 100

    def y(self, value: float) -> float:
        """In percent from the top."""
        return 100 - (value - self.low) / ((self.high - self.low) or 1) * 100


def _ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers that hold both."""
    rough = (high - low) / 4
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * one, 10) for one in range(first, last + 1)]


def _line(line: Line, spans: _Spans) -> str:
    """The line, and a dot at each point while they can be told apart."""
    points = [(x, y) for x, y in line.points if math.isfinite(y)]
    if len(points) > _MOST:
        keep = len(points) / _MOST
        points = [points[int(one * keep)] for one in range(_MOST)] + [points[-1]]
    path = " ".join(f"{spans.x(x):.2f},{spans.y(y):.2f}" for x, y in points)
    dots = "".join(
        # Not a circle: the drawing is stretched to its place, and only strokes keep their shape.
        f'<path class="dot" d="M{spans.x(x):.2f} {spans.y(y):.2f}h.001">'
        f"<title>{escape(line.name)} · {figure(x)}: {figure(y)}</title></path>"
        for x, y in (points if len(points) <= _DOTS else points[-1:])
    )
    dotted = " data-dotted" if line.dotted else ""
    return f'<g data-line="{line.kind}"{dotted}><polyline points="{path}"/>{dots}</g>'


def _numbers(lines: Sequence[Line], across: str, key: str, words: TeachWords) -> str:
    columns = [dict(line.points) for line in lines]
    steps = sorted({x for column in columns for x in column})
    if len(steps) > _ROWS:
        keep = len(steps) / _ROWS
        steps = sorted({steps[int(one * keep)] for one in range(_ROWS)} | {steps[-1]})
    heads = "".join(
        f'<th scope="col">{escape(one)}</th>' for one in (across, *(x.name for x in lines))
    )
    rows = "".join(
        f"<tr><td>{figure(step)}</td>"
        + "".join(f"<td>{figure(column.get(step))}</td>" for column in columns)
        + "</tr>"
        for step in steps
    )
    return (
        f'<details class="numbers" data-keep="numbers-{escape(key)}"><summary>'
        f'{escape(words("as_table"))}</summary><div class="scroll" tabindex="0"><table><thead><tr>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )
