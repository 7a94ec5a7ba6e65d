"""Whether more data is worth it: how good a classifier is with a part of the rows.

With the frozen views alone, because a fine-tune for each point would take too long: it is a little
better everywhere, and the shape is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chatapp.training.classify.bases import Kind
from chatapp.training.classify.head import fit_head
from chatapp.training.classify.lessons import Material
from chatapp.training.classify.readers import frozen_views
from chatapp.training.classify.solving import Numbers, Settings
from chatapp.training_records import CurvePoint

_SHARES = (0.25, 0.5, 0.75, 1.0)
_DRAWS = 3
_MOST_ROWS = 2_000
"""Of the training part; with more, a point would take half a minute."""


def learning_curve(
    material: Material, settings: Settings, kind: Kind, seed: int
) -> Sequence[CurvePoint]:
    """The macro F1 on the test part with a quarter of the rows, half, three quarters, all.

    The mean of three draws, but for the last point. Empty where no test part is.
    """
    from sklearn.metrics import f1_score

    if not len(material.test.owners):
        return ()
    views = frozen_views(kind)
    test = material.frozen(material.test, views)
    parts = [material.train, material.names]
    lessons = material.taught(parts, [material.frozen(part, views) for part in parts])
    people = np.flatnonzero(lessons.counted)
    names = np.flatnonzero(~lessons.counted)
    points = []
    for share in _SHARES:
        found, rows = [], 0
        for draw in range(1 if share == 1 else _DRAWS):
            chosen = _drawn(lessons.owners[people], share, seed + draw)
            rows = len(chosen)
            some = lessons.part(np.concatenate([people[chosen[:_MOST_ROWS]], names]))
            head = fit_head(some, views, settings, seed)
            said = head.scores(test).argmax(axis=1)
            true = material.test.owners
            found.append(
                f1_score(true, said, labels=np.unique(true), average="macro", zero_division=0)
            )
        points.append(CurvePoint(share=share, rows=rows, macro_f1=float(np.mean(found))))
    return tuple(points)


def _drawn(owners: Numbers, share: float, seed: int) -> Numbers:
    """That share of the rows of each label, at least one of each, in random order."""
    random = np.random.default_rng(seed)
    chosen = []
    for owner in np.unique(owners):
        own = random.permutation(np.flatnonzero(owners == owner))
        chosen.append(own[: max(1, round(share * len(own)))])
    return random.permutation(np.concatenate(chosen))
