"""What a handler may change on the Knowledge page; what it leaves out stays as it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True, slots=True)
class StaffScreen:
    """One frame, in the order of ``StaffParts.outputs``; all of it HTML but for ``current``.

    Attributes:
        current: id of the collection that is shown.
    """

    current: str | None = None
    collections: str | None = None
    head: str | None = None
    documents: str | None = None
    faq: str | None = None
    hits: str | None = None
    groups: str | None = None
    notice: str | None = None

    def values(self) -> list[object]:
        """One value an output."""
        parts = (getattr(self, one.name) for one in dataclasses.fields(self))
        return [gr.skip() if part is None else part for part in parts]
