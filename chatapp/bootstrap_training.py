"""Builds what teaches: data, runs, adapters and feedback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chatapp.engine.base import Engine
from chatapp.engine.choice import has_cuda
from chatapp.engine.models.dense_base import DenseBase
from chatapp.engine.pausing import PausingEngine
from chatapp.flows.adapters import Adapters
from chatapp.flows.adapters_files import AdapterFiles
from chatapp.flows.adapters_serving import Classifier, Serving
from chatapp.flows.classifying import Classifying
from chatapp.flows.feedback import Feedback
from chatapp.flows.finetune import FineTune
from chatapp.flows.finetune_bases import Bases
from chatapp.flows.finetune_meanwhile import Meanwhile, gpu_free_mb
from chatapp.flows.tallies import Tallies
from chatapp.metrics import Metrics
from chatapp.settings import Settings
from chatapp.store import (
    Conversations,
    Corrections,
    Database,
    MessageLabels,
    Messages,
    Promotions,
    Remarks,
    StoredAdapters,
    Votes,
)


@dataclass(frozen=True, slots=True)
class Training:
    """Everything that was learned, and all that teaches.

    Attributes:
        folder: where data sets, runs and adapters lie.
        base: the chat model's weights, as training reads them.
        feedback: what people say about answers, and the corrections that were approved.
        tallies: how adapters fared against each other in blind votes.
        finetune: labelled files, and the runs that learn from them.
        meanwhile: makes room for them; None where the chat need not step aside.
    """

    folder: Path
    base: DenseBase
    adapters: Adapters
    classifying: Classifying
    labels: MessageLabels
    metrics: Metrics
    feedback: Feedback
    tallies: Tallies
    finetune: FineTune
    meanwhile: Meanwhile | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Load what is live, then go on with what the server does beside answering.

        Call it once the engine has started.
        """
        await asyncio.to_thread(self.adapters.purge)
        await self.adapters.load_live()
        for watching in (self.adapters.watch(), self.finetune.watch(self.meanwhile)):
            self._tasks.append(asyncio.create_task(watching))

    async def close(self) -> None:
        """End what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.classifying.close)


def assemble_training(
    settings: Settings,
    database: Database,
    engine: Engine | None,
    reserved: Callable[[], Sequence[str]] = tuple,
) -> Training:
    """Join the parts around an open database.

    Args:
        engine: None for a command that answers nothing.
        reserved: names that no adapter may have, such as the personas'.
    """
    folder = settings.data / "training"
    remote = settings.engine == "remote" or settings.remote_base_url is not None
    base = DenseBase(None if remote else settings.model, settings.data)
    stored = StoredAdapters(database, folder / "adapters")
    serving = Serving(engine, _open_classifier)
    adapters = Adapters(
        stored,
        Promotions(database),
        AdapterFiles(folder / "adapters"),
        serving,
        base,
        folder / "runs",
        reserved,
    )
    labels, metrics = MessageLabels(database), Metrics()
    feedback = Feedback(
        Conversations(database), Messages(database), Remarks(database), Corrections(database)
    )
    finetune = FineTune(
        folder,
        Bases(settings.model, settings.data),
        threads=settings.train_threads,
        gpu=has_cuda(),
        register=adapters.register,
        corrections=feedback.examples,
        frozen=feedback.held_out,
    )
    return Training(
        folder=folder,
        base=base,
        adapters=adapters,
        classifying=Classifying(serving, stored, labels, metrics),
        labels=labels,
        metrics=metrics,
        feedback=feedback,
        tallies=Tallies(Votes(database)),
        finetune=finetune,
        meanwhile=Meanwhile(engine, gpu_free_mb) if isinstance(engine, PausingEngine) else None,
    )


def _open_classifier(folder: Path) -> Classifier:
    from chatapp.training.classify import load_classifier

    return load_classifier(folder)
