"""The figures as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.client import LoadResult
from benchmarks.loads import Load


@dataclass(frozen=True, slots=True)
class Row:
    """One contender under one load.

    Attributes:
        rate: tokens of all answers a second.
        first_p50, first_p95: seconds to the first token; None: it did not come before the cut.
        mean_tokens: of one answer.
        peak_mib: all its processes, from its start on.
        cut: the load was over its time; what came until then counts.
    """

    contender: str
    load: str
    rate: float
    first_p50: float | None
    first_p95: float | None
    mean_tokens: float
    peak_mib: int
    cut: bool
    errors: int
    error: str | None

    @classmethod
    def of(cls, contender: str, load: Load, result: LoadResult, peak_bytes: int) -> Row:
        """The figures of one result."""
        return cls(
            contender=contender,
            load=load.name,
            rate=round(result.rate, 1),
            first_p50=_rounded(result.first(0.50)),
            first_p95=_rounded(result.first(0.95)),
            mean_tokens=round(sum(one.tokens for one in result.heard) / len(result.heard), 1),
            peak_mib=round(peak_bytes / 2**20),
            cut=result.cut,
            errors=len(result.errors),
            error=next(iter(result.errors), None),
        )

    def line(self) -> str:
        """One line of the table."""
        note = " cut" if self.cut else ""
        if self.errors:
            note += f" {self.errors} failed: {self.error}"
        return (
            f"{self.contender:<12} {self.load:<10} {self.rate:8.1f} {_seconds(self.first_p50)} "
            f"{_seconds(self.first_p95)} {self.mean_tokens:7.1f} {self.peak_mib:8,}{note}"
        )


HEADER = (
    f"{'':<12} {'load':<10} {'tok/s':>8} {'first p50':>9} {'p95':>9} {'tokens':>7} {'peak MiB':>8}"
)


def ratios(rows: Iterable[Row], ours: str) -> dict[str, dict[str, float]]:
    """How many times as many tokens a second ``ours`` wrote, by contender and load."""
    rate = {(row.contender, row.load): row.rate for row in rows}
    found: dict[str, dict[str, float]] = {}
    for (contender, load), theirs in rate.items():
        own = rate.get((ours, load))
        if contender != ours and own is not None and theirs > 0:
            found.setdefault(contender, {})[load] = round(own / theirs, 2)
    return found


def ratio_lines(found: dict[str, dict[str, float]], loads: list[str]) -> list[str]:
    """The ratios as a table."""
    lines = [f"{'':<12} " + " ".join(f"{load:>10}" for load in loads)]
    for contender, by_load in found.items():
        cells = (f"{by_load[load]:>9.2f}x" if load in by_load else f"{'':>10}" for load in loads)
        lines.append(f"{contender:<12} " + " ".join(cells))
    return lines


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _seconds(value: float | None) -> str:
    return f"{'never':>9}" if value is None else f"{value:8.2f}s"
