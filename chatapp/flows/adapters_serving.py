"""The adapters that answer in this process: in the engine, and as classifiers beside it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

from chatapp.engine.base import Engine
from chatapp.errors import ChatAppError, EngineDied, ModelError, NotFound
from chatapp.events import Token
from chatapp.records import ChatMessage, Sampling
from chatapp.training_records import Adapter, Slot

log = logging.getLogger(__name__)

MOST_LOADED = 3
"""Chat adapters in the engine at once: the live one, and two that are compared. Each has memory of
its own."""

_BRIEFLY = Sampling(max_tokens=96, temperature=0, top_p=1)


class Classifier(Protocol):
    """Sorts texts into labels; ``training.classify`` loads them."""

    def classify(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]:
        """The calibrated probability of each label, for each text; the likeliest label first."""
        ...


OpenClassifier = Callable[[Path], Classifier]


class Serving:
    """What is loaded, and which of it is live. For one event loop.

    Args:
        engine: None for a program that answers nothing: then chat adapters are live by name alone.
        open_classifier: reads a classifier's folder. Blocking.
    """

    def __init__(self, engine: Engine | None, open_classifier: OpenClassifier) -> None:
        self._engine = engine
        self._open_classifier = open_classifier
        self._loading = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()
        self._loaded: dict[str, str] = {}
        """The id by the name that the engine knows."""
        self._used: dict[str, float] = {}
        self._live: dict[Slot, Adapter] = {}
        self._classifiers: dict[str, Classifier] = {}

    @property
    def has_engine(self) -> bool:
        """Whether chat adapters can be loaded here."""
        return self._engine is not None

    def live(self, slot: Slot) -> Adapter | None:
        """What answers now; None is the base."""
        return self._live.get(slot)

    def live_name(self) -> str | None:
        """The live chat adapter as the engine knows it; None where the base answers.

        An adapter that the engine lost is not waited for: the base answers meanwhile.
        """
        adapter = self._live.get("chat")
        if adapter is None or not self._has(adapter):
            return None
        self._used[adapter.name] = time.monotonic()
        return adapter.name

    def lost(self) -> bool:
        """Whether the live chat adapter has to be loaded again."""
        adapter = self._live.get("chat")
        return self._engine is not None and adapter is not None and not self._has(adapter)

    def loaded(self) -> list[str]:
        """The names of adapters that were loaded into the engine."""
        return list(self._loaded)

    def foreign(self) -> Sequence[str]:
        """The names of adapters that the engine brought along: a remote one may."""
        if self._engine is None:
            return ()
        return [name for name in self._engine.adapters() if name not in self._loaded]

    def classifier(self, slot: Slot) -> tuple[Adapter, Classifier] | None:
        """The live classifier of a purpose."""
        adapter = self._live.get(slot)
        found = None if adapter is None else self._classifiers.get(adapter.id)
        return None if adapter is None or found is None else (adapter, found)

    async def load(self, adapter: Adapter) -> None:
        """Have an adapter ready to answer; it is not live by that.

        Raises:
            ChatAppError: it is broken or does not fit, and why. What answers now goes on.
        """
        if not await asyncio.to_thread(Path(adapter.folder).is_dir):
            raise NotFound(
                f"The files of {adapter.name} are not at {adapter.folder}. Copy them there, or "
                "promote another adapter."
            )
        if adapter.slot == "chat":
            await self._load_into_engine(adapter)
        elif adapter.id not in self._classifiers:
            self._classifiers[adapter.id] = await asyncio.to_thread(self.open, adapter)

    def make_live(self, slot: Slot, adapter: Adapter | None) -> None:
        """From now on new answers use this one; it was loaded before."""
        before = self._live.pop(slot, None)
        if adapter is not None:
            self._live[slot] = adapter
        if before is not None and (adapter is None or before.id != adapter.id):
            self._classifiers.pop(before.id, None)

    def open(self, adapter: Adapter) -> Classifier:
        """A classifier, asked once, so that a broken one never becomes live. Blocking.

        Raises:
            ModelError: it does not work, and why.
        """
        try:
            classifier = self._open_classifier(Path(adapter.folder))
            if not classifier.classify(["Where is my parcel?"])[0]:
                raise ValueError("it knows no labels")
        except ChatAppError:
            raise
        except Exception as error:  # its files may be anything
            raise ModelError(
                f"The classifier {adapter.name} in {adapter.folder} does not work: {error}. Train "
                "it again, or import a whole copy."
            ) from error
        return classifier

    async def forget(self, adapter: Adapter) -> None:
        """Let go of an adapter that is not live; its last answers are written first."""
        self._classifiers.pop(adapter.id, None)
        if self._loaded.get(adapter.name) == adapter.id:
            self._let_go(adapter.name)

    async def answers(
        self, adapter: Adapter, prompts: Sequence[Sequence[ChatMessage]]
    ) -> Sequence[str]:
        """What an adapter says to conversations, greedily and briefly.

        Two at a time, so that the chat's own answers find a place.

        Raises:
            ChatAppError: it cannot be loaded, or the engine is too busy.
        """
        engine = self._engine
        if engine is None:
            raise EngineDied("No model runs here that could be asked.")
        await self.load(adapter)
        places = asyncio.Semaphore(2)

        async def answer(messages: Sequence[ChatMessage]) -> str:
            text = ""
            async with places, aclosing(engine.stream(messages, _BRIEFLY, adapter.name)) as events:
                async for event in events:
                    if isinstance(event, Token):
                        text += event.text
            return text

        return await asyncio.gather(*map(answer, prompts))

    async def _load_into_engine(self, adapter: Adapter) -> None:
        self._used[adapter.name] = time.monotonic()
        if self._engine is None or self._has(adapter):
            return
        async with self._loading:
            if self._has(adapter):  # another request has loaded it meanwhile
                return
            full = len(self._loaded) >= MOST_LOADED and adapter.name not in self._loaded
            if full and (oldest := self._least_used(but=adapter.name)):
                await self._unload(oldest)
            try:
                await self._into(self._engine, adapter)
            except ModelError:
                # There may be no memory for one more.
                if not (oldest := self._least_used(but=adapter.name)):
                    raise
                await self._unload(oldest)
                await self._into(self._engine, adapter)
            self._loaded[adapter.name] = adapter.id

    @staticmethod
    async def _into(engine: Engine, adapter: Adapter) -> None:
        try:
            await engine.load_adapter(adapter.name, Path(adapter.folder))
        except ChatAppError:
            raise
        except Exception as error:  # a stranger's settings can upset a library in many ways
            log.exception("%s could not be loaded", adapter.name)
            raise ModelError(f"{adapter.name} cannot be loaded: {error}.") from error

    def _has(self, adapter: Adapter) -> bool:
        if self._engine is None:
            return True
        return (
            self._loaded.get(adapter.name) == adapter.id and adapter.name in self._engine.adapters()
        )

    def _least_used(self, but: str) -> str | None:
        live = self._live.get("chat")
        spare = self._loaded.keys() - {but, live.name if live else but}
        return min(spare, key=lambda name: self._used.get(name, 0.0), default=None)

    def _let_go(self, name: str) -> None:
        """In a task of its own: whoever waits for another adapter need not wait for this one."""
        task = asyncio.create_task(self._unload(name))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _unload(self, name: str) -> None:
        self._loaded.pop(name, None)
        assert self._engine is not None
        try:
            await self._engine.unload_adapter(name)
        except ChatAppError as error:
            log.warning("%s was not unloaded: %s", name, error.sentence)
