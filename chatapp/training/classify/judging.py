"""The two judgements of a run, built from its rows: the instant baseline, and the fine-tune's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from chatapp.training.classify.baseline import Baseline, baseline_view, fit_baseline
from chatapp.training.classify.bases import Kind
from chatapp.training.classify.head import Head, Lessons, choose_settings, fit_head
from chatapp.training.classify.lessons import Material, Rows
from chatapp.training.classify.likeness import Floats, Readings
from chatapp.training.classify.readers import TUNED, Encoders, frozen_views
from chatapp.training.classify.report import measure
from chatapp.training.classify.served import judged
from chatapp.training.classify.solving import Settings, calibrate
from chatapp.training.classify.teaching import Taught
from chatapp.training_records import ClassifyReport

_TUNED_SHARE = 0.5
"""Of the tuned base in the judgement; the frozen views have the rest, as they share it alone."""
_ENOUGH = 30
"""Rows of the validation part from which on it tells how sure to be. Before, the frozen views do,
by the texts that they leave out."""


@dataclass(frozen=True, slots=True)
class Judging:
    """Builds and compares judgements.

    Args:
        kind: of the base that learns, which decides what is looked at beside it.
    """

    material: Material
    encoders: Encoders
    kind: Kind
    seed: int

    @property
    def views(self) -> tuple[str, ...]:
        """The frozen ones."""
        return frozen_views(self.kind)

    def lessons(self, parts: Sequence[Rows]) -> Lessons:
        """Parts to be learned from, as the frozen views read them, with the labels' names."""
        everything = [*parts, self.material.names]
        return self.material.taught(
            everything, [self.material.frozen(part, self.views) for part in everything]
        )

    def settings(self, parts: Sequence[Rows]) -> Settings:
        """How the frozen views judge best."""
        return choose_settings(self.lessons(parts), self.views, self.seed)

    def baseline(self, parts: Sequence[Rows], temperature: float = 1.0) -> Baseline:
        """Logistic regression on people's rows alone."""
        lessons, view = self.lessons(parts), baseline_view(self.kind)
        people = lessons.counted.nonzero()[0]
        vectors = cast(Floats, lessons.readings[view])[people]
        return fit_baseline(view, vectors, lessons.owners[people], lessons.labels, temperature)

    def head(
        self, parts: Sequence[Rows], taught: Taught, frozen: Settings, temperature: float
    ) -> Head:
        """The tuned base and the frozen views, together, as smooth as suits the latter alone."""
        everything = [*parts, self.material.names]
        lessons = self.material.taught(everything, [self.read(part, taught) for part in everything])
        shares = (_TUNED_SHARE, *((1 - _TUNED_SHARE) * share for share in frozen.shares))
        settings = Settings(shares, frozen.ridge, temperature)
        return fit_head(lessons, (TUNED, *self.views), settings, self.seed)

    def read(self, part: Rows, taught: Taught | None = None) -> Mapping[str, Readings]:
        """A part as every view reads it."""
        frozen = self.material.frozen(part, self.views)
        if taught is None:
            return frozen
        return {TUNED: part.read(taught.view, taught.reader(self.encoders)), **frozen}

    def calibrated_baseline(self, baseline: Baseline) -> Baseline:
        """As sure as it is right on the validation part."""
        part = self.material.validation
        if len(part.owners) < _ENOUGH:
            return baseline
        vectors = cast(Floats, self.read(part)[baseline.view])
        temperature, _ = calibrate(baseline.scores(vectors), part.owners)
        return replace(baseline, temperature=temperature)

    def calibrated_head(self, head: Head, taught: Taught) -> Head:
        """The same of the fine-tune."""
        part = self.material.validation
        if len(part.owners) < _ENOUGH:
            return head
        temperature, _ = calibrate(head.scores(self.read(part, taught)), part.owners)
        return replace(head, settings=replace(head.settings, temperature=temperature))

    def adapter_wins(self, head: Head, baseline: Baseline, taught: Taught) -> bool:
        """On the validation part. Few rows decide nothing: the baseline must be better by more
        than chance explains (one standard deviation of the rows on which the two differ)."""
        part = self.material.validation
        if not len(part.owners):
            return True
        readings = self.read(part, taught)
        tuned = judged(head, readings).argmax(axis=1) == part.owners
        plain = judged(baseline, readings).argmax(axis=1) == part.owners
        differing = int((tuned != plain).sum())
        return bool(int(plain.sum()) - int(tuned.sum()) <= differing**0.5)

    def measured(
        self, name: str, judge: Head | Baseline, seconds: float, taught: Taught | None = None
    ) -> ClassifyReport:
        """On the test part."""
        part = self.material.test
        judgement = judged(judge, self.read(part, taught))
        return measure(name, part.examples, self.material.labels, judgement, seconds)
