"""What ``model`` may name: the engine's model, its adapters, and the personas.

MODEL                     the model, with the adapter that is live
PERSONA                   the same with a persona in front
ADAPTER                   the model with that adapter
MODEL:base PERSONA:base   without any adapter
MODEL:ADAPTER  PERSONA:ADAPTER
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from fastapi import APIRouter

from chatapp.api.schemas import ErrorBody, ModelBody, ModelList
from chatapp.engine.base import Engine
from chatapp.errors import NotFound
from chatapp.flows.adapters_live import BASE, LIVE
from chatapp.records import ChatMessage, Persona, Sampling


class ModelNotFound(NotFound):
    """Nothing answers under that name."""

    @property
    def code(self) -> str:
        """The name OpenAI's clients know."""
        return "model_not_found"


class ChoosesAdapters(Protocol):
    """Knows the adapters; ``flows.adapters.Adapters`` is one."""

    def names(self) -> Sequence[str]:
        """Of every adapter that writes answers, oldest first. Blocking."""
        ...

    async def pick(self, choice: str) -> str | None:
        """The adapter for an answer, by its name in the engine; None is the base.

        Raises:
            NotFound: there is no such adapter.
        """
        ...


class LoadedAdapters:
    """The adapters that an engine has loaded; none of them is live."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def names(self) -> Sequence[str]:
        """Of every adapter in the engine."""
        return self._engine.adapters()

    async def pick(self, choice: str) -> str | None:
        """The same name; None for ``live`` and ``base``."""
        return None if choice in (LIVE, BASE) else choice


@dataclass(frozen=True, slots=True)
class Voice:
    """Who answers a request: the model with an adapter or without, and perhaps a persona in front.

    ``adapter`` is a choice for ``ChoosesAdapters.pick``.
    """

    id: str
    adapter: str = LIVE
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

    def __init__(
        self, engine: Engine, personas: Mapping[str, Persona], adapters: ChoosesAdapters
    ) -> None:
        self._engine = engine
        self._personas = personas
        self._adapters = adapters
        self._created = int(time.time())

    async def find(self, model: str | None) -> Voice:
        """Who answers to ``model``; None is the bare model with its live adapter.

        Raises:
            ModelNotFound: nobody does.
        """
        base = self._engine.info.model
        if model is None or model == base:
            return Voice(base)
        names = await asyncio.to_thread(self._adapters.names)
        if model in names:
            return Voice(model, model)
        if persona := self._personas.get(model):
            return Voice(model, persona=persona)
        before, _, adapter = model.rpartition(":")
        if adapter == BASE or adapter in names:
            if before == base:
                return Voice(model, adapter)
            if persona := self._personas.get(before):
                return Voice(model, adapter, persona)
        raise ModelNotFound(
            f"There is no model {model!r} here. GET /v1/models lists what there is.", field="model"
        )

    async def describe(self) -> list[ModelBody]:
        """One entry for each name, whoever answers to it."""
        base = self._engine.info.model
        names = await asyncio.to_thread(self._adapters.names)
        adapters = [name for name in names if name != base]
        personas = [one for name, one in self._personas.items() if name not in (base, *adapters)]
        entries = [
            self._entry(base, "model", base, "Without a persona."),
            *(self._entry(name, "adapter", name, f"Adapter of {base}.") for name in adapters),
            *(self._entry(who.id, "persona", who.name, who.description) for who in personas),
        ]
        if adapters:
            entries += self._combined(base, adapters, personas)
        return entries

    def _combined(
        self, base: str, adapters: Sequence[str], personas: Sequence[Persona]
    ) -> Iterator[ModelBody]:
        """Names of two parts; where there are no adapters, they would say nothing new.

        None has a parent: who uses this server as a remote engine looks for adapters by it.
        """
        yield self._entry(f"{base}:{BASE}", "model", base, "Without a persona or an adapter.")
        for adapter in adapters:
            text = f"With the adapter {adapter}."
            yield self._entry(f"{base}:{adapter}", "model", base, text)
        for who in personas:
            plain = f"{who.description} Without an adapter."
            yield self._entry(f"{who.id}:{BASE}", "persona", who.name, plain)
            for adapter in adapters:
                text = f"{who.description} With the adapter {adapter}."
                yield self._entry(f"{who.id}:{adapter}", "persona", who.name, text)

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
        return ModelList(data=await catalogue.describe())

    @router.get(
        "/models/{model:path}", summary="One of them", responses={404: {"model": ErrorBody}}
    )
    async def get_model(model: str) -> ModelBody:
        wanted = (await catalogue.find(model)).id
        for entry in await catalogue.describe():
            if entry.id == wanted:
                return entry
        # A name of two parts that is not listed, as there are no adapters.
        listed = (await catalogue.describe())[0]
        return listed.model_copy(update={"id": wanted})

    return router
