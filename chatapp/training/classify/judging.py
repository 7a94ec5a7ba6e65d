"""The two judgements of a run, built from its rows: the instant baseline, and the fine-tune's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

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

TUNED_SHARE = 0.5
"""Of the tuned base in the judgement; the frozen views have the rest, as they share it alone."""
_OTHER_SHARES = (0.25, 0.75)
_SLACK = 0.01
"""Relative; another share must lower the validation part's log loss by more to be taken."""
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

    def best_settings(self, parts: Sequence[Rows], taught: Taught, frozen: Settings) -> Settings:
        """How the tuned base and the frozen views judge best together, as far as the validation
        part tells: a base that has learned its rows by heart counts less.

        Args:
            frozen: how the frozen views judge alone; as smooth is the whole.
        """
        settings = self._shared(frozen, TUNED_SHARE)
        part = self.material.validation
        if len(part.owners) < _ENOUGH:
            return settings
        best = np.inf
        for share in (TUNED_SHARE, *_OTHER_SHARES):
            tried = self._shared(frozen, share)
            scores = self.head(parts, taught, tried).scores(self.read(part, taught))
            temperature, loss = calibrate(scores, part.owners)
            if loss < best * (1 - _SLACK):
                best, settings = loss, replace(tried, temperature=temperature)
        return settings

    def head(self, parts: Sequence[Rows], taught: Taught, settings: Settings) -> Head:
        """The tuned base and the frozen views, together."""
        everything = [*parts, self.material.names]
        lessons = self.material.taught(everything, [self.read(part, taught) for part in everything])
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

    def _shared(self, frozen: Settings, share: float) -> Settings:
        """``share`` for the tuned base."""
        return replace(frozen, shares=(share, *((1 - share) * one for one in frozen.shares)))

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
