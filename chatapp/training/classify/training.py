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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from chatapp.training.classify.artefact import Facts, Parts, put_in_place, save
from chatapp.training.classify.baseline import Baseline, baseline_view, fit_baseline
from chatapp.training.classify.bases import Base, find_base
from chatapp.training.classify.curve import learning_curve
from chatapp.training.classify.grams import learn_grams
from chatapp.training.classify.head import Head, Lessons, choose_settings, fit_head
from chatapp.training.classify.lessons import Material, Rows
from chatapp.training.classify.likeness import Floats, Readings
from chatapp.training.classify.methods import check_method
from chatapp.training.classify.readers import TUNED, Encoders, frozen_views
from chatapp.training.classify.report import compared, measure, right_of
from chatapp.training.classify.served import Which, judged
from chatapp.training.classify.solving import Settings, calibrate
from chatapp.training.classify.teaching import Task, Taught, teach
from chatapp.training.config import RunConfig
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training_records import ClassifyReport

_TUNED_SHARE = 0.5
"""Of the tuned base in the judgement; the frozen views have the rest, as they share it alone."""
_TUNED_RIDGE = 0.1
_ONCE_MORE = 5_000
"""Rows up to which everything is taught once more to a fresh base, with those set aside."""


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
    parts = (folder.examples("train"), folder.examples("validation"), folder.examples("test"))
    encoders = Encoders()
    material = Material(*parts, encoders, config.seed)
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder.path) as scratch:
        run = _Run(folder, config, log, base, encoders, material, Path(scratch))
        if report:
            return run.measured()
        run.only_taught()
        return None


@dataclass(frozen=True, slots=True)
class _Judges:
    """The two classifiers of one lesson."""

    head: Head
    baseline: Baseline


@dataclass
class _Run:
    folder: RunFolder
    config: RunConfig
    log: RunLog
    base: Base
    encoders: Encoders
    material: Material
    scratch: Path

    def only_taught(self) -> None:
        """A dry run: no baseline to compare with, nothing measured, nothing taught twice."""
        material, views = self.material, frozen_views(self.base.kind)
        lessons = self._lessons([material.train])
        settings = choose_settings(lessons, views, self.config.seed)
        baseline = self._baseline(lessons)
        taught = self._teach(material.train, first=True)
        head = self._head([material.train], taught, settings, settings.temperature)
        self._save(_Judges(head, baseline), taught, "adapter")

    def measured(self) -> ClassifyReport:
        """The whole of it."""
        material, log = self.material, self.log
        log.phase("Training the instant baseline")
        started = time.monotonic()
        lessons = self._lessons([material.train])
        baseline = self._calibrated_baseline(self._baseline(lessons))
        baseline_seconds = time.monotonic() - started
        plain = self._measure("Instant baseline", baseline, material.test, baseline_seconds)
        self._tell_baseline(plain, baseline_seconds)
        settings = choose_settings(lessons, frozen_views(self.base.kind), self.config.seed)

        started = time.monotonic()
        taught = self._teach(material.train, first=True)
        log.phase("Measuring on the test part")
        head = self._calibrated_head(
            self._head([material.train], taught, settings, settings.temperature), taught
        )
        tuned = self._measure("Fine-tune", head, material.test, time.monotonic() - started, taught)
        wins = self._adapter_wins(head, baseline, taught)
        report = compared(
            tuned if wins else plain,
            plain,
            tuned,
            adapter_wins=wins,
            rows={
                "train": len(material.train.owners),
                "validation": len(material.validation.owners),
                "test": len(material.test.owners),
            },
            curve=learning_curve(material, settings, self.base.kind, self.config.seed),
            more=self._afterword(),
        )
        temperatures = head.settings.temperature, baseline.temperature
        self._learn_from_all(settings, temperatures, taught, "adapter" if wins else "baseline")
        if _first_process():
            self.folder.write_report(report)
        return report

    # --- the instant baseline ---

    def _baseline(self, lessons: Lessons, temperature: float = 1.0) -> Baseline:
        view = baseline_view(self.base.kind)
        people = lessons.counted.nonzero()[0]
        vectors = cast(Floats, lessons.readings[view])[people]
        return fit_baseline(view, vectors, lessons.owners[people], lessons.labels, temperature)

    def _calibrated_baseline(self, baseline: Baseline) -> Baseline:
        part = self.material.validation
        if not len(part.owners):
            return baseline
        vectors = self.material.frozen(part, [baseline.view])[baseline.view]
        temperature, _ = calibrate(baseline.scores(cast(Floats, vectors)), part.owners)
        return replace(baseline, temperature=temperature)

    def _tell_baseline(self, report: ClassifyReport, seconds: float) -> None:
        total = len(report.predictions)
        if not total:
            return
        early = replace(
            report,
            sentence=f"{report.sentence} This is the instant baseline; the fine-tune is under way.",
            winner="baseline",
        )
        if _first_process():
            self.folder.write_report(early)
        self.log.notice(
            f"The instant baseline, trained in {seconds:.0f} seconds, sorts "
            f"{right_of(report):,} of {total:,} test messages rightly ({report.accuracy:.1%})."
        )

    # --- the fine-tune ---

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

    def _head(
        self, parts: Sequence[Rows], taught: Taught, frozen: Settings, temperature: float
    ) -> Head:
        views = (TUNED, *frozen_views(self.base.kind))
        everything = [*parts, self.material.names]
        readings = [self._tuned(part, taught) for part in everything]
        lessons = self.material.taught(everything, readings)
        shares = (_TUNED_SHARE, *((1 - _TUNED_SHARE) * share for share in frozen.shares))
        settings = Settings(shares, _TUNED_RIDGE, temperature)
        return fit_head(lessons, views, settings, self.config.seed)

    def _tuned(self, part: Rows, taught: Taught) -> Mapping[str, Readings]:
        views = frozen_views(self.base.kind)
        return {
            TUNED: part.read(taught.view, taught.reader(self.encoders)),
            **self.material.frozen(part, views),
        }

    def _calibrated_head(self, head: Head, taught: Taught) -> Head:
        part = self.material.validation
        if not len(part.owners):
            return head
        temperature, _ = calibrate(head.scores(self._tuned(part, taught)), part.owners)
        return replace(head, settings=replace(head.settings, temperature=temperature))

    def _adapter_wins(self, head: Head, baseline: Baseline, taught: Taught) -> bool:
        """On the validation part. Few rows decide nothing: the baseline must be better by more
        than chance explains (one standard deviation of the rows on which the two differ)."""
        part = self.material.validation
        if not len(part.owners):
            return True
        readings = self._tuned(part, taught)
        tuned = judged(head, readings).argmax(axis=1) == part.owners
        plain = judged(baseline, readings).argmax(axis=1) == part.owners
        differing = int((tuned != plain).sum())
        return bool(int(plain.sum()) - int(tuned.sum()) <= differing**0.5)

    # --- what goes live ---

    def _afterword(self) -> str:
        total = len(self.material.all_rows())
        return f"What goes live has learned from all {total:,} rows, the test part included."

    def _learn_from_all(
        self,
        settings: Settings,
        temperatures: tuple[float, float],
        taught: Taught,
        winner: Which,
    ) -> None:
        material = self.material
        parts = [material.train, material.validation, material.test]
        everything = Rows(material.all_rows(), np.concatenate([one.owners for one in parts]))
        if len(everything.owners) <= _ONCE_MORE and self.log.wanted_stop is None:
            self.log.phase("Learning from all rows")
            material.forget(learn_grams(everything.texts))
            once_more = self._teach(everything, first=False, share=taught.share)
            if self.log.wanted_stop is None:
                taught = once_more
        head = self._head(parts, taught, settings, temperatures[0])
        baseline = self._baseline(self._lessons(parts), temperatures[1])
        self._save(_Judges(head, baseline), taught, winner)

    def _lessons(self, parts: Sequence[Rows]) -> Lessons:
        views = frozen_views(self.base.kind)
        everything = [*parts, self.material.names]
        return self.material.taught(
            everything, [self.material.frozen(part, views) for part in everything]
        )

    def _measure(
        self,
        name: str,
        judge: Head | Baseline,
        part: Rows,
        seconds: float,
        taught: Taught | None = None,
    ) -> ClassifyReport:
        readings = (
            self._tuned(part, taught)
            if taught
            else self.material.frozen(part, frozen_views(self.base.kind))
        )
        judgement = judged(judge, readings)
        return measure(name, part.examples, self.material.labels, judgement, seconds)

    def _save(self, judges: _Judges, taught: Taught, winner: Which) -> None:
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
            views=judges.head.views,
            settings=judges.head.settings,
            baseline_view=judges.baseline.view,
            baseline_temperature=judges.baseline.temperature,
        )
        save(
            draft,
            Parts(facts, self.material.labels, judges.head, judges.baseline, self.material.grams),
        )
        put_in_place(draft, self.folder.adapter)


def _first_process() -> bool:
    """Those of further GPUs write nothing."""
    return os.environ.get("RANK", "0") == "0"
