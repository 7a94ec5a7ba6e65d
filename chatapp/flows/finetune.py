"""Teaching: from an uploaded file to a run, and from a run to something that can go live.

Every method blocks; the page calls them in a thread. What is decided about files is in
``finetune_data``, what they teach in ``finetune_lessons``, what becomes of runs in
``finetune_runs``.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from chatapp.flows.adapters_files import examples_hash
from chatapp.flows.finetune_bases import AUTO, Finds
from chatapp.flows.finetune_command import command_line
from chatapp.flows.finetune_disk import kept_in
from chatapp.flows.finetune_lessons import Lessons
from chatapp.flows.finetune_meanwhile import Meanwhile
from chatapp.flows.finetune_runs import Comparison, Register, Runs
from chatapp.training import data
from chatapp.training.config import Preset, RunConfig
from chatapp.training.run.estimate import Trial, estimate
from chatapp.training.run.folder import Source
from chatapp.training.run.presets import preset_values, recommended
from chatapp.training.run.queue import RunQueue
from chatapp.training_records import Estimate, Example, Run, Split, Task

__all__ = ["Comparison", "FineTune"]

_UNNAMED = re.compile(r"[^A-Za-z0-9._-]+")
_LOOKED_AT = 20
_UNDO = timedelta(days=30)
_LONGEST_TRIAL = 3_600.0


def _none() -> Sequence[Example]:
    return ()


class FineTune(Lessons, Runs):
    """Datasets and runs of a data folder.

    Args:
        folder: the data folder's ``training``.
        bases: finds the model that learns.
        threads: of a run on the CPU; None leaves one core to a chat beside it.
        gpu: whether there is one.
        register: takes in what a run has learned; None leaves it in the run's folder.
        corrections: what the team has approved.
        frozen: what is kept for evaluation and never learned from.
        queue: of the runs; the default is the one of the folder.
    """

    def __init__(
        self,
        folder: Path,
        bases: Finds,
        *,
        threads: int | None = None,
        gpu: bool = False,
        register: Register | None = None,
        corrections: Callable[[], Sequence[Example]] = _none,
        frozen: Callable[[], Sequence[Example]] = _none,
        queue: RunQueue | None = None,
    ) -> None:
        self._queue = queue or RunQueue(folder, threads)
        Lessons.__init__(self, folder, bases, corrections, frozen)
        Runs.__init__(self, self._queue, register, self.knows, shares_gpu=gpu)
        self._trials = folder / "trials"
        self._gpu = gpu
        self._measured_mb: dict[str, float] = {}

    async def watch(self, meanwhile: Meanwhile | None = None) -> None:
        """Look after files and runs, in a server; see ``Runs.watch``."""
        await asyncio.to_thread(self.purge_datasets, _UNDO)
        await asyncio.to_thread(self._sweep_trials)
        await Runs.watch(self, meanwhile)

    def recommend(self, dataset_id: str, task: Task, preset: Preset) -> RunConfig:
        """The settings that suit a file.

        Raises:
            DatasetError: the file cannot be read any more.
            NotFound: there is no such dataset.
        """
        dataset = self.dataset(dataset_id)
        rows = len(self.learnable(dataset_id, task))
        name = _UNNAMED.sub("-", Path(dataset.name).stem).strip("-._")[:48] or task
        return recommended(task, name, preset, rows, gpu=self._gpu)

    def settle(
        self, dataset_id: str, name: str, task: Task, preset: Preset, **more: object
    ) -> RunConfig:
        """The settings of a preset for a file, with some chosen by hand.

        Raises:
            InvalidRequest: names the first setting that is wrong.
            NotFound: there is no such dataset.
        """
        rows = len(self.learnable(dataset_id, task))
        return recommended(task, name, preset, rows, gpu=self._gpu, **more)

    def estimate(self, dataset_id: str, config: RunConfig) -> Estimate:
        """What a run will take, from a timed few steps, and whether it can work.

        Raises:
            DatasetError: too little can be learned from.
            ModelError: there is no such base.
            NotFound: there is no such dataset.
            StorageError: the disk refused.
            TrainingError: the dry run ended without a word.
        """
        parts = self.parts(dataset_id, config)
        masked = None
        if config.task == "chat":
            tokenizer = self._bases.tokenizer(config.base)
            looked = parts["train"][:_LOOKED_AT]
            empty = [
                one for one in looked if not data.preview(one, tokenizer, config).trained_tokens
            ]
            masked = len(empty), len(looked)
        trial = Trial(
            folder=self._trials / secrets.token_hex(6),
            config=self._resolved(config, parts),
            parts=parts,
            threads=self._queue.threads,
            masked=masked,
        )
        with kept_in(trial.folder, "The dry run"):
            made = estimate(trial)
        if self._gpu:
            self._measured_mb[_key(dataset_id, config)] = made.memory_mb
        return made

    def launch(self, dataset_id: str, config: RunConfig) -> Run:
        """Start a run, or queue it behind another.

        Raises:
            DatasetError: too little can be learned from.
            ModelError: there is no such base, or it cannot learn.
            NotFound: there is no such dataset.
            StorageError: the disk refused.
        """
        parts = self.parts(dataset_id, config)
        resolved = self._resolved(config, parts)
        folder = self._queue.new()
        source = Source(
            name=self.dataset(dataset_id).name,
            dataset=dataset_id,
            hash=examples_hash(parts["train"]),
            base=config.base,
            gpu_mb=self._measured_mb.get(_key(dataset_id, config), 0.0),
        )
        with kept_in(folder.path, f"The run {config.name}"):
            folder.create(resolved, parts, source)
        return self.begin(folder)

    def command(self, config: RunConfig, file: str) -> str:
        """What does the same on the command line.

        Args:
            file: a path, or the id of a dataset, which stands for the file as it was uploaded
                with everything that was decided about it.
        """
        path = str(self.source_file(file)) if self.knows(file) else file
        decided = preset_values(config.task, config.preset, 0, gpu=self._gpu)
        return command_line(config, path, list(decided))

    def _sweep_trials(self) -> None:
        """Remove dry runs whose server was killed in the middle of them."""
        for path in self._trials.glob("*"):
            if time.time() - path.stat().st_mtime > _LONGEST_TRIAL:
                shutil.rmtree(path, ignore_errors=True)

    def _resolved(self, config: RunConfig, parts: dict[Split, Sequence[Example]]) -> RunConfig:
        """With a base that a trainer can load."""
        languages = data.languages_of(parts["train"]) if config.base == AUTO else {}
        rows = len(parts["train"])
        base = self._bases.learner(config.task, config.base, languages, rows)
        return config.model_copy(update={"base": base})


def _key(dataset_id: str, config: RunConfig) -> str:
    return f"{dataset_id} {config.model_copy(update={'name': 'any'}).as_yaml()}"
