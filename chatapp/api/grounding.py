"""What an answer leans on, as the API shows it beside the text."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from chatapp.knowledge_records import Grounding, Route


class SourceBody(BaseModel):
    """A passage of a document, or an FAQ entry, that an answer leans on."""

    number: Annotated[int, Field(description="As the answer cites it: `[1]`.")]
    document: str
    title: str
    heading: list[str]
    page: int | None
    text: str
    relevance: Annotated[float, Field(description="Calibrated, 0 to 1.")]
    cited: bool


class FlagBody(BaseModel):
    """A part of the answer's text that no source supports."""

    start: Annotated[int, Field(description="In characters of the answer's text.")]
    end: int
    reason: Literal["unsupported", "figure"]


class GroundingBody(BaseModel):
    """What an answer from a collection carries beside its text."""

    route: Annotated[
        Route | None,
        Field(
            description="Extension: where the answer comes from: an approved FAQ answer word for "
            "word, the model on sources, quoted sources, a refusal, or the persona alone."
        ),
    ] = None
    sources: Annotated[
        list[SourceBody], Field(description="Extension: what the answer leans on.")
    ] = []
    flags: Annotated[
        list[FlagBody], Field(description="Extension: what of it no source supports.")
    ] = []


def grounding_body(grounding: Grounding | None) -> dict[str, object]:
    """Route, sources and flags as the API shows them; empty without knowledge."""
    if grounding is None:
        return {}
    body = GroundingBody(
        route=grounding.route,
        sources=[
            SourceBody(
                number=source.number,
                document=source.document,
                title=source.title,
                heading=list(source.heading),
                page=source.page,
                text=source.text,
                relevance=source.relevance,
                cited=source.cited,
            )
            for source in grounding.sources
        ],
        flags=[
            FlagBody(start=flag.start, end=flag.end, reason=flag.reason) for flag in grounding.flags
        ],
    )
    return body.model_dump()
