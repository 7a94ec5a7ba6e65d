"""A run that teaches a classifier, from the rows in its folder to an artefact and a report.

First the instant baseline, then the fine-tune, which learns from the training part and is measured
on the test part. What goes live has learned from all rows, those set aside too: where rows are few
they are too dear to leave out. The report says so, and is about what was measured.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from chatapp.training.classify.artefact import Facts, Parts, put_in_place, save
from chatapp.training.classify.baseline import Baseline
from chatapp.training.classify.bases import Base, find_base
from chatapp.training.classify.curve import learning_curve
from chatapp.training.classify.effort import ONCE_MORE
from chatapp.training.classify.grams import learn_grams
from chatapp.training.classify.head import Head
from chatapp.training.classify.judging import Judging
from chatapp.training.classify.lessons import MOST_READ, Material, Rows
from chatapp.training.classify.methods import check_method
from chatapp.training.classify.readers import Encoders
from chatapp.training.classify.report import compared, right_of
from chatapp.training.classify.served import Which
from chatapp.training.classify.solving import Settings
from chatapp.training.classify.teaching import Task, Taught, teach
from chatapp.training.config import RunConfig
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training_records import ClassifyReport


def train(
    folder: RunFolder, config: RunConfig, log: RunLog, *, report: bool = True
) -> ClassifyReport | None:
    """Teach, measure, and leave ``folder.adapter`` and the report.

    Args:
        report: False for a dry run, which only teaches and saves.

    Raises:
        DatasetError: the rows hold nothing to tell apart.
        ModelError: there is no such base, or it cannot be loaded.
        TrainingError: the method cannot teach it, or training ran away.
        RunDiscarded: somebody wants the run gone.
    """
    base = find_base(config.base)
    check_method(config, base.kind)
    log.phase("Preparing the data")
    if config.packing:
        log.notice("Packing is for answers; texts to be sorted are read in groups of one length.")
    parts = (folder.examples("train"), folder.examples("validation"), folder.examples("test"))
    encoders = Encoders()
    material = Material(*parts, encoders, config.seed)
    if len(parts[0]) > MOST_READ:
        log.notice(
            f"Of the {len(parts[0]):,} rows to learn from, {MOST_READ:,} are taken, some of each "
            "label: more would take long and help little."
        )
    judging = Judging(material, encoders, base.kind, config.seed)
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder.path) as scratch:
        run = _Run(folder, config, log, base, material, judging, Path(scratch))
        if report:
            return run.measured()
        run.only_taught()
        return None


@dataclass(frozen=True, slots=True)
class _Run:
    folder: RunFolder
    config: RunConfig
    log: RunLog
    base: Base
    material: Material
    judging: Judging
    scratch: Path

    def only_taught(self) -> None:
        """A dry run: nothing compared, nothing measured, nothing taught twice."""
        parts = [self.material.train]
        frozen = self.judging.settings(parts)
        taught = self._teach(self.material.train, first=True)
        settings = self.judging.best_settings(parts, taught, frozen)
        head = self.judging.head(parts, taught, settings)
        self._save(head, self.judging.baseline(parts), taught, "adapter")

    def measured(self) -> ClassifyReport:
        """The whole of it."""
        material, judging, parts = self.material, self.judging, [self.material.train]
        self.log.phase("Training the instant baseline")
        began = time.monotonic()
        baseline = judging.calibrated_baseline(judging.baseline(parts))
        plain = judging.measured("Instant baseline", baseline, time.monotonic() - began)
        self._tell(plain)

        began = time.monotonic()
        frozen = judging.settings(parts)
        taught = self._teach(material.train, first=True)
        self.log.phase("Measuring on the test part")
        settings = judging.best_settings(parts, taught, frozen)
        head = judging.head(parts, taught, settings)
        tuned = judging.measured("Fine-tune", head, time.monotonic() - began, taught)
        wins = judging.adapter_wins(head, baseline, taught)
        report = compared(
            tuned if wins else plain,
            plain,
            tuned,
            adapter_wins=wins,
            rows=material.counts(),
            curve=learning_curve(material, frozen, self.base.kind, self.config.seed),
            more=f"What goes live has learned from all {len(material.all_rows()):,} rows, those "
            "of the test part too.",
        )
        winner: Which = "adapter" if wins else "baseline"
        self._learn_from_all(settings, baseline.temperature, taught, winner)
        if _first_process():
            self.folder.write_report(report)
        return report

    def _tell(self, baseline: ClassifyReport) -> None:
        """There is something to look at long before the fine-tune is done."""
        total = len(baseline.predictions)
        if not total:
            return
        said = f"{baseline.sentence} This is the instant baseline; the fine-tune is under way."
        if _first_process():
            self.folder.write_report(replace(baseline, sentence=said, winner="baseline"))
        self.log.notice(
            f"The instant baseline, trained in {baseline.baseline.seconds:.0f} seconds, sorts "
            f"{right_of(baseline):,} of {total:,} test messages rightly ({baseline.accuracy:.1%})."
        )

    def _teach(self, part: Rows, *, first: bool, share: float = 1.0) -> Taught:
        names = self.material.names
        task = Task(
            texts=[*part.texts, *names.texts],
            owners=np.concatenate([part.owners, names.owners]),
            labels=len(self.material.labels),
            validation=self.material.validation if first else None,
            share=share,
        )
        return teach(self.base, self.config, self.log, task, self.folder.checkpoints, self.scratch)

    def _learn_from_all(
        self,
        settings: Settings,
        temperature: float,
        taught: Taught,
        winner: Which,
    ) -> None:
        material = self.material
        parts: Sequence[Rows] = [material.train, material.validation, material.test]
        everything = Rows(material.all_rows(), np.concatenate([one.owners for one in parts]))
        if len(everything.owners) <= ONCE_MORE and self.log.wanted_stop is None:
            self.log.phase("Learning from all rows")
            material.read_anew(learn_grams(everything.texts))
            once_more = self._teach(everything, first=False, share=taught.share)
            if self.log.wanted_stop is None:
                taught = once_more
        head = self.judging.head(parts, taught, settings)
        self._save(head, self.judging.baseline(parts, temperature), taught, winner)

    def _save(self, head: Head, baseline: Baseline, taught: Taught, winner: Which) -> None:
        if not _first_process():
            return
        self.log.phase("Saving")
        draft = self.folder.path / f".{self.folder.adapter.name}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        taught.save(draft)
        facts = Facts(
            base=self.config.base,
            purpose=self.config.purpose,
            winner=winner,
            max_length=self.config.max_length,
            views=head.views,
            settings=head.settings,
            baseline_view=baseline.view,
            baseline_temperature=baseline.temperature,
        )
        save(draft, Parts(facts, self.material.labels, head, baseline, self.material.grams))
        put_in_place(draft, self.folder.adapter)


def _first_process() -> bool:
    """Those of further GPUs write nothing."""
    return os.environ.get("RANK", "0") == "0"
