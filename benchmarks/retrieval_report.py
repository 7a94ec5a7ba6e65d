"""One line of the table for each contender and size."""

from __future__ import annotations

from dataclasses import dataclass

HEADER = (
    f"{'':<12} {'passages':>9} {'index':<5} {'build':>8} {'p50':>8} {'p95':>8} {'start':>7} "
    f"{'recall@10':>9} {'found':>6} {'MiB':>7}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRow:
    """How one contender searches so many passages.

    Attributes:
        build: seconds from passages with vectors to an index, saved where it can be.
        p50, p95: milliseconds of a search.
        start: seconds until a saved index answers; None where it is not measured.
        recall: of the ten nearest vectors by exact search, the share that was named.
        found: share of the queries whose passage was among the first five; None if only vectors
            were searched.
        mib: the process's memory beyond what it had before the index.
    """

    contender: str
    passages: int
    index: str
    build: float
    p50: float
    p95: float
    start: float | None
    recall: float | None
    found: float | None
    mib: float

    def line(self) -> str:
        """As the table shows it."""
        start = "" if self.start is None else f"{self.start:.2f}s"
        recall = "" if self.recall is None else f"{self.recall:.3f}"
        found = "" if self.found is None else f"{self.found:.2f}"
        return (
            f"{self.contender:<12} {self.passages:>9,} {self.index:<5} {self.build:>7.1f}s "
            f"{self.p50:>6.1f}ms {self.p95:>6.1f}ms {start:>7} {recall:>9} {found:>6} "
            f"{self.mib:>7,.0f}"
        )
