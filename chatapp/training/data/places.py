"""Findings while they are collected: how many rows have one, and where the first are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from chatapp.training.data.limits import MOST_PLACES, shortened
from chatapp.training_records import Finding, Fix, Place


class Places:
    """The rows that share one problem."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[Place] = []

    def add(self, file: str, row: int, column: str = "", value: object = "") -> None:
        """One more row; the first hundred are remembered."""
        self.count += 1
        if len(self._first) < MOST_PLACES:
            self._first.append(
                Place(file=file, row=row, column=shortened(column, 60), value=shortened(value))
            )

    def finding(
        self,
        kind: str,
        severity: Literal["error", "warning", "note"],
        sentence: str,
        fixes: Sequence[Fix] = (),
    ) -> Finding:
        """What is said of them."""
        return Finding(
            kind=kind,
            severity=severity,
            sentence=sentence,
            count=self.count,
            places=tuple(self._first),
            fixes=tuple(fixes),
        )


class Collected:
    """Findings of one reading, by their kind, in the order in which they were first met."""

    def __init__(self) -> None:
        self._places: dict[str, Places] = {}
        self._about: dict[
            str, tuple[Literal["error", "warning", "note"], Callable[[int], str]]
        ] = {}

    def add(
        self,
        kind: str,
        severity: Literal["error", "warning", "note"],
        sentence: Callable[[int], str],
        *,
        file: str,
        row: int,
        column: str = "",
        value: object = "",
    ) -> None:
        """One more row with a problem; ``sentence`` makes what is said out of their number."""
        self._about.setdefault(kind, (severity, sentence))
        self._places.setdefault(kind, Places()).add(file, row, column, value)

    def count(self, severity: str) -> int:
        """How many rows there are with problems that grave."""
        return sum(
            places.count
            for kind, places in self._places.items()
            if self._about[kind][0] == severity
        )

    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        return tuple(
            places.finding(kind, self._about[kind][0], self._about[kind][1](places.count))
            for kind, places in self._places.items()
        )


def rows(count: int) -> str:
    """``1 row`` or ``1,234 rows``."""
    return "1 row" if count == 1 else f"{count:,} rows"


def has(count: int) -> str:
    """The verb after ``rows``."""
    return "has" if count == 1 else "have"


def be(count: int) -> str:
    """The verb after ``rows``."""
    return "is" if count == 1 else "are"
