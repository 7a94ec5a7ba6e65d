"""What a handler may change on the Review page; what it leaves out stays as it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True, slots=True)
class ReviewScreen:
    """One frame, in the order of ``ReviewParts.outputs``; all of it HTML."""

    head: str | None = None
    notice: str | None = None
    queue: str | None = None
    examples: str | None = None
    numbers: str | None = None

    def values(self) -> list[object]:
        """One value an output."""
        parts = (getattr(self, one.name) for one in dataclasses.fields(self))
        return [gr.skip() if part is None else part for part in parts]
