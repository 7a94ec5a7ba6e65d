"""What a check of the data doctor finds, and how it can be cured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from chatapp.training.data.measuring import Measure
from chatapp.training.data.places import Places, rows
from chatapp.training_records import Example, Finding, Fix, FixKind, Task

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Cure:
    """A fix with what it does.

    Attributes:
        detail: what parts its id from others of its kind.
        count: how many rows it changes or drops.
        change: makes new examples of all examples.
    """

    kind: FixKind
    label: str
    count: int
    change: Callable[[Sequence[Example]], list[Example]]
    detail: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem.

    Attributes:
        at: positions among the examples, rising.
        part: where in the example it is: ``question``, ``answer``, ``text``, ``label`` or none.
        values: what is shown of a row, by position.
    """

    kind: str
    severity: Severity
    sentence: str
    at: Sequence[int]
    part: str = ""
    values: Mapping[int, str] = field(default_factory=dict)
    cures: tuple[Cure, ...] = ()

    def finding(self, examples: Sequence[Example], columns: Mapping[str, str]) -> Finding:
        """As it is shown; ``columns`` are the file's names for the parts."""
        places = Places()
        for position in self.at:
            example = examples[position]
            value = self.values.get(position)
            if value is None:
                value = example.answer if self.part in ("answer", "label") else example.question
            column = columns.get(self.part, self.part)
            places.add(example.file, example.row, column, value)
        fixes = [
            Fix(
                id=fix_id(self.kind, cure),
                kind=cure.kind,
                label=cure.label,
                rows=cure.count,
                details=cure.details,
            )
            for cure in self.cures
        ]
        return places.finding(self.kind, self.severity, self.sentence, fixes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the checks need to know beside the examples.

    Attributes:
        frozen: texts of evaluation sets, which must not be learned.
        progress: told the share of the current check that is done.
        languages: of the texts that were looked at so far.
    """

    task: Task
    measure: Measure
    frozen: Sequence[str]
    progress: Callable[[float], None]
    languages: dict[str, str] = field(default_factory=dict)


Check = Callable[[Sequence[Example], Sequence[int], Context], Sequence[Problem]]
"""Looks at the examples at some positions: those without an error so far."""


def fix_id(kind: str, cure: Cure) -> str:
    """Stable: the same problem has the same cures."""
    return f"{kind}.{cure.kind}" + (f".{cure.detail}" if cure.detail else "")


def drop(at: Collection[int], label: str = "") -> Cure:
    """Leave the rows out."""
    return Cure("drop", label or f"Drop {rows(len(at))}", len(at), _without(frozenset(at)))


def keep_first(at: Collection[int], label: str) -> Cure:
    """Leave the later rows out, which are given."""
    return Cure("keep_first", label, len(at), _without(frozenset(at)))


def mend(
    kind: FixKind, at: Collection[int], label: str, how: Callable[[Example], Example | None]
) -> Cure:
    """Change the rows; those that nothing is left of are dropped."""
    wanted = frozenset(at)

    def change(examples: Sequence[Example]) -> list[Example]:
        changed = (
            how(example) if position in wanted else example
            for position, example in enumerate(examples)
        )
        return [example for example in changed if example is not None]

    return Cure(kind, label, len(wanted), change)


def _without(at: frozenset[int]) -> Callable[[Sequence[Example]], list[Example]]:
    def change(examples: Sequence[Example]) -> list[Example]:
        return [one for position, one in enumerate(examples) if position not in at]

    return change
