"""What ``model`` may name: the engine's model, its adapters, and the personas."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from fastapi import APIRouter

from chatapp.api.schemas import ErrorBody, ModelBody, ModelList
from chatapp.engine.base import Engine
from chatapp.errors import NotFound
from chatapp.records import ChatMessage, Persona, Sampling


class ModelNotFound(NotFound):
    """Nothing answers under that name."""

    @property
    def code(self) -> str:
        """The name OpenAI's clients know."""
        return "model_not_found"


@dataclass(frozen=True, slots=True)
class Voice:
    """Who answers a request: an adapter or the bare model, and perhaps a persona in front."""

    id: str
    adapter: str | None = None
    persona: Persona | None = None

    def prepare(self, messages: list[ChatMessage]) -> list[ChatMessage]:
        """Put the persona's system prompt in front, unless the messages bring their own."""
        if self.persona is None or any(message.role == "system" for message in messages):
            return messages
        return [ChatMessage("system", self.persona.system_prompt), *messages]

    def sampling(self, given: Mapping[str, object]) -> Sampling:
        """The fields that a request gave, over the persona's or the general defaults."""
        default = self.persona.sampling if self.persona else Sampling()
        return replace(default, **given)  # type: ignore[arg-type]  # replace() is not typed


class Catalogue:
    """Finds who answers. On equal names the model wins over an adapter, and that over a persona."""

    def __init__(self, engine: Engine, personas: Mapping[str, Persona]) -> None:
        self._engine = engine
        self._personas = personas
        self._created = int(time.time())

    def find(self, model: str | None) -> Voice:
        """Who answers to ``model``; None is the bare model.

        Raises:
            ModelNotFound: nobody does.
        """
        if model is None or model == self._engine.info.model:
            return Voice(self._engine.info.model)
        if model in self._engine.adapters():
            return Voice(model, adapter=model)
        if persona := self._personas.get(model):
            return Voice(model, persona=persona)
        raise ModelNotFound(
            f"There is no model {model!r} here. GET /v1/models lists what there is.", field="model"
        )

    def describe(self) -> list[ModelBody]:
        """One entry for each name, whoever answers to it."""
        model = self._engine.info.model
        adapters = [name for name in self._engine.adapters() if name != model]
        personas = [
            persona for name, persona in self._personas.items() if name not in (model, *adapters)
        ]
        return [
            self._entry(model, "model", model, "Without a persona."),
            *(self._entry(name, "adapter", name, f"Adapter of {model}.") for name in adapters),
            *(self._entry(who.id, "persona", who.name, who.description) for who in personas),
        ]

    def _entry(
        self, name: str, kind: Literal["model", "adapter", "persona"], title: str, description: str
    ) -> ModelBody:
        info = self._engine.info
        return ModelBody(
            id=name,
            created=self._created,
            owned_by=kind,
            parent=info.model if kind == "adapter" else None,
            max_model_len=info.context_length,
            name=title,
            description=description,
        )


def model_routes(catalogue: Catalogue) -> APIRouter:
    """``GET /models`` and ``GET /models/{id}``."""
    router = APIRouter(tags=["models"])

    @router.get("/models", summary="Everything that `model` may name")
    async def list_models() -> ModelList:
        return ModelList(data=catalogue.describe())

    @router.get(
        "/models/{model:path}", summary="One of them", responses={404: {"model": ErrorBody}}
    )
    async def get_model(model: str) -> ModelBody:
        wanted = catalogue.find(model).id
        return next(entry for entry in catalogue.describe() if entry.id == wanted)

    return router
