"""How adapters come in: from a finished run, or from somebody else's folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from chatapp.engine.models.dense_base import DenseBase
from chatapp.errors import ChatAppError, InvalidRequest
from chatapp.flows.adapters_files import AdapterFiles, base_of, examples_hash
from chatapp.flows.adapters_import import check_chat_adapter, unpack
from chatapp.flows.adapters_live import BASE, LIVE
from chatapp.store import NewAdapter, StoredAdapters
from chatapp.store.adapters import new_adapter_id
from chatapp.training.config import NAME
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import Adapter, AdapterKind, Report, Slot


class Arrivals:
    """Puts files in place, then the adapter into the database. Blocking.

    Args:
        base: the chat model's weights.
        reserved: names that no adapter may have, because something else answers to them.
        try_out: raises where an adapter would not work here.
    """

    def __init__(
        self,
        stored: StoredAdapters,
        files: AdapterFiles,
        base: DenseBase,
        reserved: Callable[[], Sequence[str]],
        try_out: Callable[[Adapter], None],
    ) -> None:
        self._stored = stored
        self._files = files
        self._base = base
        self._reserved = reserved
        self._try_out = try_out

    def register(self, run: RunFolder) -> Adapter:
        """Take in what a run has learned; a second call finds it.

        A name that is taken gets a number.

        Raises:
            TrainingError: the run has saved no adapter.
            StorageError: the disk or the database refused.
        """
        config, report = run.config, run.report
        if known := self._known(run.id, report):
            return known
        model, digest = base_of(run.adapter)
        new = NewAdapter(
            slot="chat" if config.task == "chat" else config.purpose,
            kind=_kind(config.task, config.method),
            base_model=model or config.base,
            base_hash=digest,
            run_id=run.id,
            data_hash=examples_hash(run.examples("train")),
            test_hash=examples_hash(run.examples("test")),
            config=config.model_dump(mode="json"),
            report=report,
        )
        id_ = new_adapter_id()
        self._files.copy(id_, run.adapter)
        return self._added(id_, config.name, new)

    def import_(self, path: Path, name: str, slot: Slot = "chat") -> Adapter:
        """Take in somebody's adapter: a PEFT folder or a classifier's, or a ZIP file of one.

        Only safetensors are read. Where an engine runs, it has to take the adapter.

        Raises:
            InvalidRequest: the name cannot be used, or it is no adapter for this model.
            DatasetError: the archive is damaged, encrypted, or a bomb.
            ModelError: the engine or the classifier does not work with it.
            StorageError: the disk or the database refused.
        """
        self._check_name(name)
        id_ = new_adapter_id()
        kind: AdapterKind = "classifier"
        with self._files.draft(id_) as draft:
            unpack(path, draft, slot)
            if slot == "chat":
                kind = check_chat_adapter(draft, self._base.shapes())
        try:
            model, digest = base_of(self._files.place(id_))
            digest = digest or (self._base.hash() if slot == "chat" else "")
            new = NewAdapter(slot=slot, kind=kind, base_model=model, base_hash=digest)
            made = _as_it_will_be(id_, name, new, self._files.place(id_))
            self.check_base(made)
            self._try_out(made)
            return self._stored.add(id_, name, new)
        except ChatAppError:
            self._files.remove([id_])
            raise

    def _known(self, run_id: str, report: Report | None) -> Adapter | None:
        """What a run made when it was measured so; deleted or not."""
        made = self._stored.of_run(run_id)
        return next((one for one in made if one.report == report), None)

    def _check_name(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise InvalidRequest(
                f"The name {name[:64]!r} cannot be used: an adapter's name has at most 64 letters, "
                "digits, dots, hyphens and underscores, and begins with a letter or a digit.",
                field="name",
            )
        taken = {BASE, LIVE, *self._reserved(), *(one.name for one in self._stored.list())}
        if name in taken:
            raise InvalidRequest(f"The name {name!r} is taken. Choose another.", field="name")

    def check_base(self, adapter: Adapter) -> None:
        """An adapter fits the weights that it was trained on; others of the same shape it spoils.

        Raises:
            InvalidRequest: other weights answer here.
        """
        ours = self._base.hash() if adapter.slot == "chat" else ""
        if ours and adapter.base_hash and adapter.base_hash != ours:
            raise InvalidRequest(
                f"{adapter.name} was trained on other weights of {adapter.base_model} than those "
                f"that answer here (SHA-256 {adapter.base_hash[:12]}… and {ours[:12]}…)."
            )

    def _added(self, id_: str, name: str, new: NewAdapter) -> Adapter:
        """Taken in under its name, or under that name with the first number that is free."""
        reserved = {BASE, LIVE, *self._reserved()}
        for number in range(1, 10_000):
            tried = name if number == 1 else f"{name[:58]}-{number}"
            if tried in reserved:
                continue
            try:
                return self._stored.add(id_, tried, new)
            except InvalidRequest:
                # Taken; perhaps by another server, which has just registered this very run.
                if new.run_id and (known := self._known(new.run_id, new.report)):
                    self._files.remove([id_])
                    return known
            except ChatAppError:
                self._files.remove([id_])
                raise
        raise AssertionError("ten thousand adapters of one name")


def _as_it_will_be(id_: str, name: str, new: NewAdapter, folder: Path) -> Adapter:
    return Adapter(
        id=id_,
        name=name,
        slot=new.slot,
        kind=new.kind,
        folder=str(folder.resolve()),
        base_model=new.base_model,
        base_hash=new.base_hash,
        created_at=datetime.now(UTC),
    )


def _kind(task: str, method: str) -> AdapterKind:
    if task == "classify":
        return "classifier"
    return "prompt" if method in ("prefix", "prompt") else "lora"
