"""Runs as people see them: listed, stopped, resumed, compared; and looked after by a server."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from chatapp.errors import ChatAppError
from chatapp.flows.finetune_meanwhile import Meanwhile
from chatapp.training.config import RunConfig
from chatapp.training.run import lines, locks
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.queue import RunQueue
from chatapp.training_records import UNFINISHED, Adapter, MetricPoint, Run

log = logging.getLogger(__name__)

Register = Callable[[RunFolder], Adapter]

_POLL_SECONDS = 0.5
_FOLLOW_SECONDS = 0.2
_PAUSE_SECONDS = 10.0
_PATIENCE = 30.0
_UNDO = timedelta(days=30)
_ENDED = ("done", "stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Runs side by side.

    Attributes:
        curves: the figures of each run by its id, oldest first.
        differences: by setting, what each run has, in the order of ``runs``; settings in which
            all agree are left out.
    """

    runs: Sequence[Run]
    curves: Mapping[str, Sequence[MetricPoint]]
    differences: Mapping[str, Sequence[object]]


class Runs:
    """The runs of a data folder.

    Args:
        register: takes in what a finished run has learned; None leaves it in the run's folder.
        known: whether a dataset of that id is still there.
        shares_gpu: whether the chat and the runs want the same GPU; a run then begins only when
            a server has made room for it.
    """

    def __init__(
        self,
        queue: RunQueue,
        register: Register | None,
        known: Callable[[str], bool],
        *,
        shares_gpu: bool = False,
    ) -> None:
        self._queue = queue
        self._register = register
        self._is_kept = known
        self._refused: set[str] = set()
        self._shares_gpu = shares_gpu

    def runs(self) -> Sequence[Run]:
        """All runs but the discarded ones, newest first."""
        return [self.seen(folder) for folder in self._queue.list()]

    def run(self, run_id: str) -> Run:
        """One run.

        Raises:
            NotFound: there is none of that id.
        """
        return self.seen(self._queue.get(run_id))

    def folder(self, run_id: str) -> RunFolder:
        """Its folder, with everything else about it.

        Raises:
            NotFound: there is none of that id.
        """
        return self._queue.get(run_id)

    def stop(self, run_id: str, what: Literal["keep", "discard"]) -> None:
        """Have it end soon, with the best so far kept, or everything put aside.

        Raises:
            InvalidRequest: it has ended already.
            NotFound: there is none of that id.
        """
        folder = self._queue.get(run_id)
        if what == "discard":
            self._queue.discard(folder)
        else:
            self._queue.stop(folder, keep=True)

    def resume(self, run_id: str) -> Run:
        """Go on from its last checkpoint when it is its turn.

        Raises:
            InvalidRequest: it is still at work, or done.
            NotFound: there is none of that id.
        """
        folder = self._queue.get(run_id)
        self._queue.resume(folder)
        self._start_next()
        return self.seen(folder)

    def discard(self, run_id: str) -> None:
        """Put a run aside; ``restore`` brings it back.

        Raises:
            NotFound: there is none of that id.
        """
        self._queue.discard(self._queue.get(run_id))

    def restore(self, run_id: str) -> Run:
        """Undo ``discard``.

        Raises:
            InvalidRequest: it is not discarded.
            NotFound: there is none of that id.
        """
        folder = self._queue.get(run_id)
        self._queue.restore(folder)
        return self.seen(folder)

    def reuse(self, run_id: str) -> RunConfig:
        """The settings of a run as they were asked for, for another one.

        Raises:
            NotFound: there is none of that id.
        """
        folder = self._queue.get(run_id)
        return asked(folder)

    def compare(self, run_ids: Sequence[str]) -> Comparison:
        """Several runs side by side.

        Raises:
            NotFound: one of them is not there.
        """
        folders = [self._queue.get(run_id) for run_id in run_ids]
        runs = [self.seen(folder) for folder in folders]
        values = {
            name: [run.config.get(name) for run in runs]
            for name in RunConfig.model_fields
            if name != "name"
        }
        return Comparison(
            runs=runs,
            curves={folder.id: folder.metrics() for folder in folders},
            differences={
                name: found
                for name, found in values.items()
                if any(one != found[0] for one in found)
            },
        )

    def adapter_name(self, run_id: str) -> str | None:
        """What the registry calls what the run has learned; None before it was taken in.

        Raises:
            NotFound: there is none of that id.
        """
        try:
            return (self._queue.get(run_id).path / "registered").read_text(encoding="utf-8")
        except OSError:
            return None

    def seen(self, folder: RunFolder) -> Run:
        """A folder as people see it."""
        config, source = asked(folder), folder.source
        return Run(
            id=folder.id,
            name=config.name,
            task=config.task,
            dataset=source.name,
            created_at=_created(folder.id),
            config=config.model_dump(mode="json"),
            state=folder.state,
            dataset_id=source.dataset if self._is_kept(source.dataset) else "",
        )

    def begin(self, folder: RunFolder) -> Run:
        """Take note of a run that was just queued."""
        self._start_next()
        return self.seen(folder)

    def follow(self, run_id: str) -> Iterator[Run]:
        """A run again and again until it has ended, for a command that waits; its turn comes and
        what it learned is taken in also where no server runs.

        Raises:
            NotFound: there is none of that id.
            ChatAppError: what it learned cannot be taken in.
        """
        folder = self._queue.get(run_id)
        while True:
            run = self.seen(folder)
            yield run
            if run.state.status not in UNFINISHED:
                break
            self._start_next()
            time.sleep(_FOLLOW_SECONDS)
        # Its process lives a moment longer than the run.
        self._take_in(folder, _PATIENCE)

    async def watch(self, meanwhile: Meanwhile | None = None) -> None:
        """Let queued runs begin and take in what finished ones have learned, until cancelled.

        Args:
            meanwhile: makes room on the GPU; None where the chat need not step aside.
        """
        await asyncio.to_thread(self._queue.purge, _UNDO)
        with self._queue.served():
            while True:
                try:
                    if meanwhile is not None:
                        await self._share(meanwhile)
                    await asyncio.to_thread(self._look)
                except OSError as error:
                    log.error("The runs cannot be looked after: %s", error)
                    await asyncio.sleep(_PAUSE_SECONDS)
                await asyncio.sleep(_POLL_SECONDS)

    async def _share(self, meanwhile: Meanwhile) -> None:
        if await asyncio.to_thread(lambda: self._queue.busy):
            return
        if waiting := await asyncio.to_thread(lambda: self._queue.waiting):
            await meanwhile.make_room(waiting[0])
        else:
            await meanwhile.give_back()

    def _look(self) -> None:
        self._queue.start_next()
        for folder in self._queue.ended:
            if folder.id not in self._refused:
                self._take_in_quietly(folder)

    def _take_in_quietly(self, folder: RunFolder) -> None:
        try:
            self._take_in(folder)
        except ChatAppError as error:
            self._refused.add(folder.id)
            log.warning("%s", error.sentence)

    def _take_in(self, folder: RunFolder, patience: float = 0.0) -> None:
        """Register what an ended run has learned, once for each report."""
        if self._register is None or folder.written_state.status not in _ENDED:
            return
        marker = folder.path / "registered"
        if marker.exists() or folder.report is None or not folder.adapter.is_dir():
            return
        handle = locks.take(folder.lock, patience)
        if handle is None:
            return
        try:
            if not marker.exists():
                lines.replace(marker, self._register(folder).name.encode())
        finally:
            os.close(handle)

    def _start_next(self) -> None:
        if self._shares_gpu and self._queue.is_served:
            return
        try:
            self._queue.start_next()
        except OSError as error:
            log.error("The next run cannot be started: %s", error)


def asked(folder: RunFolder) -> RunConfig:
    """The settings as they were asked for, with the base by that name and not by its path."""
    return folder.config.model_copy(update={"base": folder.source.base})


def _created(run_id: str) -> datetime:
    return datetime.strptime(run_id.rpartition("-")[0], "%Y%m%d-%H%M%S-%f").replace(tzinfo=UTC)
