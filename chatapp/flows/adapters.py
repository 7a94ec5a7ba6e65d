"""What was learned, and what of it answers: registered, compared, promoted, taken back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from chatapp.engine.models.dense_base import DenseBase
from chatapp.errors import InvalidRequest, NotFound, StorageError
from chatapp.flows.adapters_arrivals import Arrivals
from chatapp.flows.adapters_contest import Contests
from chatapp.flows.adapters_export import What, export
from chatapp.flows.adapters_files import AdapterFiles, examples_hash
from chatapp.flows.adapters_gate import Gate, Rival, judge, same_test
from chatapp.flows.adapters_gate_words import GateWords
from chatapp.flows.adapters_import import check_chat_adapter
from chatapp.flows.adapters_live import BASE, LIVE, LiveAdapters, writer
from chatapp.flows.adapters_serving import Serving
from chatapp.store import Promotions, StoredAdapters
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import Adapter, Example, Promotion, Report, Slot

__all__ = ["UNDO_DAYS", "Adapters", "Gate", "What"]

log = logging.getLogger(__name__)

UNDO_DAYS = timedelta(days=30)
"""How long a deleted adapter can be brought back."""


class Adapters:
    """The registry. Blocking methods are for threads; the others belong to the event loop.

    Args:
        base: the chat model's weights.
        runs: the folder of all runs.
        reserved: names that no adapter may have, because something else answers to them.
    """

    def __init__(
        self,
        stored: StoredAdapters,
        promotions: Promotions,
        files: AdapterFiles,
        serving: Serving,
        base: DenseBase,
        runs: Path,
        reserved: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._stored = stored
        self._promotions = promotions
        self._files = files
        self._serving = serving
        self._base = base
        self._now = LiveAdapters(stored, promotions, serving)
        self._contests = Contests(runs, self._now.answers, self._labels)
        self._arrivals = Arrivals(stored, files, base, reserved, self._now.try_out)

    # --- what there is; blocking ---

    def list(self, slot: Slot | None = None) -> Sequence[Adapter]:
        """All adapters, or those of a slot; newest first."""
        return self._stored.list(slot)

    def names(self) -> Sequence[str]:
        """Of every adapter that writes answers, oldest first; then those the engine brought.

        Where the database cannot be asked, those that are loaded: answers must go on.
        """
        try:
            ours = [one.name for one in reversed(self._stored.list("chat"))]
        except StorageError as error:
            log.warning("Only loaded adapters are known now: %s", error.sentence)
            ours = self._serving.loaded()
        return list(dict.fromkeys([*ours, *self._serving.foreign()]))

    def get(self, name: str) -> Adapter:
        """The adapter of that name.

        Raises:
            NotFound: there is none; the sentence names those there are.
        """
        return self._stored.get(name)

    def live(self, slot: Slot) -> Adapter | None:
        """What was promoted last in a slot; None is the base."""
        found = self._promotions.live().get(slot)
        return None if found is None else self._stored.by_id(found)

    def find(self, choice: str) -> Adapter | None:
        """The chat adapter of a choice: ``live``, ``base`` (None), or a name.

        Raises:
            NotFound: there is no chat adapter of that name.
        """
        if choice == BASE:
            return None
        return self.live("chat") if choice == LIVE else writer(self._stored.get(choice))

    def history(self, slot: Slot) -> Sequence[Promotion]:
        """A slot's promotions, newest first."""
        return self._promotions.history(slot)

    def problem(self, slot: Slot) -> str | None:
        """Why the live adapter does not answer on this server, in a sentence; None: it does."""
        return self._now.problem(slot)

    def gate(self, name: str, language: str = "en") -> Gate:
        """Whether an adapter may go live, and why, in ``en`` or ``zh``.

        Where it was measured on other questions than what is live, both are asked the same ones,
        which takes a while.

        Raises:
            NotFound: there is no adapter of that name.
            ChatAppError: one of the two cannot be asked now.
        """
        say = GateWords(language)
        candidate = self._stored.get(name)
        live = self.live(candidate.slot)
        if live is not None and live.id == candidate.id:
            return Gate(True, (say("is_live", name=name),))
        if live is None:
            return judge(candidate, None, say)
        held = None if same_test(candidate, live) else self._contests.hold(candidate, live)
        return judge(candidate, Rival(live, held), say)

    def learned(self, adapter: Adapter, examples: Sequence[Example]) -> int:
        """How many of these examples an adapter has learned from, as far as its run is there."""
        return self._contests.learned_of(adapter, examples)

    def keep_report(self, name: str, report: Report, examples: Sequence[Example]) -> bool:
        """Keep how good an adapter was on ``examples``, if it came without a report.

        Returns:
            Whether it was kept; the report of a run stays.

        Raises:
            NotFound: there is no adapter of that name.
        """
        if self._stored.get(name).report is not None:
            return False
        self._stored.measured(name, report, examples_hash(examples))
        return True

    # --- coming and going; blocking ---

    def register(self, run: RunFolder) -> Adapter:
        """Take in what a run has learned; a second call finds it.

        A name that is taken gets a number.

        Raises:
            TrainingError: the run has saved no adapter.
            StorageError: the disk or the database refused.
        """
        return self._arrivals.register(run)

    def import_(self, path: Path, name: str, slot: Slot = "chat") -> Adapter:
        """Take in somebody's adapter: a PEFT folder or a classifier's, or a ZIP file of one.

        Raises:
            InvalidRequest: the name cannot be used, or it is no adapter for this model.
            DatasetError: the archive is damaged, encrypted, or a bomb.
            ModelError: the engine or the classifier does not work with it.
            StorageError: the disk or the database refused.
        """
        return self._arrivals.import_(path, name, slot)

    def export(self, name: str, what: What, path: Path) -> Path:
        """Write an adapter to ``path``: ``peft`` and ``merged`` are a ZIP file if that is its
        ending, else a folder; ``card`` is a Markdown file. Returns ``path``.

        Raises:
            NotFound: there is no adapter of that name, or its files are gone.
            InvalidRequest: it cannot be merged, or something is at ``path`` already.
            StorageError: the disk refused.
            TrainingError: merging failed.
        """
        adapter = self._stored.get(name)
        trained_on = Path(str(adapter.config.get("base", "")))
        own = trained_on if (trained_on / "config.json").is_file() else None
        export(adapter, what, path, own or self._base.folder())
        return path

    def remove(self, name: str) -> Adapter:
        """Hide an adapter until it is restored; a live one stays.

        Raises:
            NotFound: there is none of that name.
            InvalidRequest: it is live.
        """
        gone = self._stored.delete(name)
        self._now.dismiss(gone)
        return gone

    def restore(self, id: str) -> Adapter:  # noqa: A002
        """Undo ``remove``.

        Raises:
            NotFound: no such deleted adapter, or its files are gone for good.
            InvalidRequest: another one has its name now.
        """
        if not self._files.place(id).is_dir():
            raise NotFound("The files of this adapter are gone for good. Train or import it again.")
        return self._stored.restore(id)

    def purge(self) -> None:
        """Remove the files of those deleted too long ago to be restored."""
        self._files.remove(self._stored.forgotten(UNDO_DAYS))
        self._files.sweep()

    # --- going live; for the event loop ---

    async def promote(self, name: str, reason: str = "") -> Promotion:
        """Let an adapter answer from now on; answers being written end on the one before.

        Args:
            name: whose.
            reason: of a person who overrides the gate; kept with the promotion.

        Raises:
            NotFound: there is no adapter of that name.
            InvalidRequest: it did not pass the gate, belongs to other weights, or is live already.
            ChatAppError: it cannot be loaded; what is live stays.
        """
        candidate = await asyncio.to_thread(self._stored.get, name)
        if candidate.live and self.problem(candidate.slot) is None:
            raise InvalidRequest(f"{name} is live already.")
        await asyncio.to_thread(self._arrivals.check_base, candidate)
        if not (reason := " ".join(reason.split())):
            gate = await asyncio.to_thread(self.gate, name)
            if not gate.passed:
                said = " ".join(gate.sentences)
                raise InvalidRequest(f"{said} To promote it all the same, give a reason.")
        if candidate.slot == "chat" and not self._serving.has_engine:
            # Nobody here can load it, so at least its files are looked at.
            await asyncio.to_thread(self._look_at, candidate)
        return await self._now.promote(candidate, reason)

    async def rollback(self, slot: Slot) -> Promotion:
        """Bring back what was live before the last promotion.

        Raises:
            InvalidRequest: nothing was promoted that could be taken back.
            ChatAppError: what was live before cannot be loaded; what is live stays.
        """
        return await self._now.rollback(slot)

    async def load_live(self) -> None:
        """Load what is live, when a server starts; see ``LiveAdapters``."""
        await self._now.load_live()

    async def watch(self) -> None:
        """Notice what other processes promote, for as long as the server runs."""
        await self._now.watch()

    async def pick(self, choice: str) -> str | None:
        """The adapter that is to write an answer, by its name in the engine; None is the base.

        Args:
            choice: ``live``, ``base``, or an adapter's name; that one is loaded if need be.

        Raises:
            NotFound: there is no chat adapter of that name.
            ChatAppError: it cannot be loaded.
        """
        return await self._now.pick(choice)

    def _look_at(self, adapter: Adapter) -> None:
        if Path(adapter.folder).is_dir():
            check_chat_adapter(Path(adapter.folder), self._base.shapes())

    def _labels(self, adapter: Adapter, texts: Sequence[str]) -> Sequence[str]:
        here = self._serving.classifier(adapter.slot)
        found = here[1] if here and here[0].id == adapter.id else self._serving.open(adapter)
        return [likeliest(one) for one in found.classify(texts)]


def likeliest(probabilities: Mapping[str, float]) -> str:
    """The label with the highest probability."""
    return max(probabilities, key=probabilities.__getitem__)
