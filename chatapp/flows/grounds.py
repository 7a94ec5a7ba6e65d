"""What is kept of an answer beside its text, collected from its events."""

from __future__ import annotations

from typing import Final

from chatapp.events import Event, Explained, Flagged, Routed, Sources
from chatapp.knowledge_records import Flag, Grounding, Route, Source, Trace

ALONE: Final = Grounding(route="persona")
"""What an answer leans on where there was no knowledge: nothing but the persona."""


class Grounds:
    """Reads an answer's events."""

    def __init__(self) -> None:
        self._route: Route | None = None
        self._sources: tuple[Source, ...] = ()
        self._flags: tuple[Flag, ...] = ()
        self._trace: Trace | None = None

    def seen(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case Routed(route):
                self._route = route
            case Sources(sources):
                self._sources = sources
            case Flagged(flag):
                self._flags += (flag,)
            case Explained(trace):
                self._trace = trace

    @property
    def grounding(self) -> Grounding | None:
        """As far as it is known; None where there was no knowledge."""
        if self._route is None:
            return None
        return Grounding(
            route=self._route, sources=self._sources, flags=self._flags, trace=self._trace
        )
