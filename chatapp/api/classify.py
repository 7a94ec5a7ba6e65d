"""``POST /v1/classify``: what the classifiers say of texts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chatapp.api.limits import BoundedRoute
from chatapp.api.schemas import ErrorBody
from chatapp.errors import InvalidRequest, UnsupportedField
from chatapp.flows.classifying import Classifying
from chatapp.training_records import Adapter, Slot

MOST_TEXTS = 256
"""In one request; more would keep the others waiting."""


class ClassifyRequest(BaseModel):
    """Texts to sort. Fields that are not listed here are refused with status 422."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"input": "Where is my parcel?", "model": "intent"}]},
    )

    input: Annotated[str | list[str], Field(description=f"A text, or up to {MOST_TEXTS} of them.")]
    model: Annotated[
        str | None,
        Field(
            description="A classifier's name, or `intent`, `topic` or `sentiment` for the one that "
            "is live. The default is every live one."
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, request: object) -> object:
        known = set(cls.model_fields)
        for name in request if isinstance(request, dict) else ():
            if name not in known:
                raise UnsupportedField(
                    str(name), f"The field {name} is not supported here. Leave it out."
                )
        return request

    @property
    def texts(self) -> list[str]:
        """The input as a list.

        Raises:
            InvalidRequest: none, too many, or one without text.
        """
        texts = [self.input] if isinstance(self.input, str) else self.input
        if not texts or len(texts) > MOST_TEXTS:
            raise InvalidRequest(
                f"input holds {len(texts):,} texts, but must hold 1 to {MOST_TEXTS}.",
                field="input",
            )
        for at, text in enumerate(texts):
            if not text.strip():
                raise InvalidRequest(f"Text {at + 1} of input is empty.", field="input")
        return texts


class LabelBody(BaseModel):
    """What one classifier says of one text."""

    purpose: Slot
    model: Annotated[str, Field(description="The classifier's name.")]
    label: Annotated[str, Field(description="The likeliest.")]
    confidence: Annotated[float, Field(description="Its calibrated probability, 0 to 1.")]
    probabilities: Annotated[dict[str, float], Field(description="Of every label.")]


class ClassifiedText(BaseModel):
    """One text of the request."""

    index: int
    object: Literal["classification"] = "classification"
    labels: Annotated[list[LabelBody], Field(description="One of each classifier.")]


class Classification(BaseModel):
    """The texts in the order of the request."""

    object: Literal["list"] = "list"
    data: list[ClassifiedText]


def classify_routes(classifying: Classifying) -> APIRouter:
    """The route."""
    router = APIRouter(route_class=BoundedRoute, tags=["classify"])

    @router.post(
        "/classify",
        summary="Sort texts into labels",
        responses={
            400: {"model": ErrorBody, "description": "A value that makes no sense."},
            404: {"model": ErrorBody, "description": "No such classifier, or none is live."},
            422: {"model": ErrorBody, "description": "A field that cannot be honoured."},
        },
    )
    async def classify(request: ClassifyRequest) -> Classification:
        texts = request.texts
        found = await asyncio.to_thread(classifying.classify, texts, request.model)
        return Classification(
            data=[
                ClassifiedText(
                    index=index, labels=[_body(adapter, said[index]) for adapter, said in found]
                )
                for index in range(len(texts))
            ]
        )

    return router


def _body(adapter: Adapter, probabilities: Mapping[str, float]) -> LabelBody:
    label = max(probabilities, key=probabilities.__getitem__)
    return LabelBody(
        purpose=adapter.slot,
        model=adapter.name,
        label=label,
        confidence=probabilities[label],
        probabilities=dict(probabilities),
    )
