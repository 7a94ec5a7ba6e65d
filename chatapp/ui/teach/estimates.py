"""Dry runs that go on while their reader waits, or has gone."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass

from chatapp.training.config import RunConfig
from chatapp.training_records import Estimate
from chatapp.ui.teach.rooms import Teaches

_KEPT = 20


@dataclass(frozen=True, slots=True)
class DryRun:
    """One of them; ``task`` holds its estimate, or why there is none."""

    config: RunConfig
    began: float
    task: asyncio.Task[Estimate]

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began


class DryRuns:
    """The last one of each file. One that was left goes on, and is found again."""

    def __init__(self, teaching: Teaches) -> None:
        self._teaching = teaching
        self._known: OrderedDict[str, DryRun] = OrderedDict()

    def begin(self, dataset_id: str, config: RunConfig) -> DryRun:
        """Start one, unless the very same goes on or has been made."""
        known = self._known.get(dataset_id)
        if known is not None and known.config == config and not _failed(known):
            return known
        made = asyncio.create_task(asyncio.to_thread(self._teaching.estimate, dataset_id, config))
        self._known[dataset_id] = DryRun(config, time.monotonic(), made)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return self._known[dataset_id]

    def of(self, dataset_id: str) -> DryRun | None:
        """The last one of a file."""
        return self._known.get(dataset_id)


def _failed(known: DryRun) -> bool:
    return known.task.done() and (known.task.cancelled() or known.task.exception() is not None)
