"""What a handler may change on the Teach page; what it leaves out stays as it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True, slots=True)
class TeachScreen:
    """One frame, in the order of ``TeachParts.outputs``; all of it HTML.

    Attributes:
        source: step 1: the file, its format, its first examples.
        checks: step 1: what the doctor says.
        goal: step 2: the choices.
        extra: step 2: what was asked for beside them: the command, or rephrased copies.
        estimate: step 2: what a run will take.
        run: step 3.
        verdict: step 4: did it help, and what can be done with it.
        gate: step 4: whether it may go live.
        result: step 4: the report.
        cell: step 4: the examples behind a number.
        history: runs and adapters.
        comparison: several runs beside each other.
    """

    source: str | None = None
    checks: str | None = None
    goal: str | None = None
    extra: str | None = None
    estimate: str | None = None
    run: str | None = None
    verdict: str | None = None
    gate: str | None = None
    result: str | None = None
    cell: str | None = None
    history: str | None = None
    comparison: str | None = None
    notice: str | None = None

    def values(self) -> list[object]:
        """One value an output."""
        parts = (getattr(self, one.name) for one in dataclasses.fields(self))
        return [gr.skip() if part is None else part for part in parts]
