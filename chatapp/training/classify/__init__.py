"""Learns to sort texts into labels: intent, topic or sentiment.

Importing this package is cheap; what learns is imported by the process that learns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.training.classify.bases import recommend_base
from chatapp.training.classify.effort import presets
from chatapp.training.config import RunConfig
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training_records import ClassifyReport, Example

if TYPE_CHECKING:
    from chatapp.training.classify.served import Classifier, Which

__all__ = [
    "evaluate",
    "evaluate_folder",
    "load_classifier",
    "opener",
    "presets",
    "recommend_base",
    "train",
]


def train(
    folder: RunFolder, config: RunConfig, log: RunLog, *, report: bool = True
) -> ClassifyReport | None:
    """Do a run; ``classify.training`` says how. Imports torch."""
    from chatapp.training.classify.training import train as do

    return do(folder, config, log, report=report)


def load_classifier(folder: Path, which: Which | None = None) -> Classifier:
    """The classifier in a folder; ``which`` is by default the better of the two in it.

    It is read by numpy alone, unless it was built on somebody else's model, which needs torch.

    Raises:
        ModelError: it is no classifier's folder, or a damaged one.
    """
    from chatapp.training.classify.artefact import load

    return load(folder, which)


def opener() -> Callable[[Path], Classifier]:
    """A ``load_classifier`` whose classifiers share the bundled encoders: the second one that is
    live takes 45 MB instead of 250."""
    from chatapp.training.classify.artefact import load
    from chatapp.training.classify.readers import Encoders

    encoders = Encoders()
    return lambda folder: load(folder, None, encoders)


def evaluate(classifier: Classifier, examples: Sequence[Example]) -> ClassifyReport:
    """How good a classifier is on examples that it has not seen.

    Raises:
        DatasetError: there is nothing to measure it on.
    """
    from chatapp.training.classify.evaluating import evaluate as do

    return do(classifier, examples)


def evaluate_folder(folder: Path, examples: Sequence[Example]) -> ClassifyReport:
    """The same for both classifiers of a folder; about the one that is served.

    Raises:
        DatasetError: there is nothing to measure them on.
        ModelError: it is no classifier's folder, or a damaged one.
    """
    from chatapp.training.classify.evaluating import evaluate_folder as do

    return do(folder, examples)
