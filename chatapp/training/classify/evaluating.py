"""An existing classifier, measured on a file that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chatapp.errors import DatasetError
from chatapp.training.classify.artefact import load
from chatapp.training.classify.readers import Encoders
from chatapp.training.classify.report import compared, measure, never_learned
from chatapp.training.classify.served import Classifier, Which
from chatapp.training_records import ClassifyReport, Example


def evaluate(classifier: Classifier, examples: Sequence[Example]) -> ClassifyReport:
    """How good one classifier is on these examples.

    A label that it does not know is counted as wrong, and named.

    Raises:
        DatasetError: there is nothing to measure it on.
    """
    rows = labelled(examples)
    judged = classifier.probabilities([example.text for example in rows])
    name = "Fine-tune" if classifier.which == "adapter" else "Instant baseline"
    return measure(name, rows, classifier.labels, judged)


def labelled(examples: Sequence[Example]) -> Sequence[Example]:
    """The rows that can be measured on.

    Raises:
        DatasetError: there are none.
    """
    rows = [example for example in examples if example.label]
    if not rows:
        raise DatasetError(
            "There is no row with a label, so there is nothing to compare with. Name a file with "
            "a column of texts and one of labels."
        )
    return rows


def evaluate_folder(folder: Path, examples: Sequence[Example]) -> ClassifyReport:
    """Both classifiers of a folder on these examples; the report is about the one that is served.

    Raises:
        DatasetError: there is nothing to measure them on.
        ModelError: it is no classifier's folder, or a damaged one.
    """
    encoders = Encoders()
    served = load(folder, None, encoders)
    other: Which = "baseline" if served.which == "adapter" else "adapter"
    mine = evaluate(served, examples)
    theirs = evaluate(load(folder, other, encoders), examples)
    adapter_wins = served.which == "adapter"
    return compared(
        mine,
        theirs if adapter_wins else mine,
        mine if adapter_wins else theirs,
        adapter_wins=adapter_wins,
        rows={"test": len(mine.predictions)},
        curve=(),
        more=never_learned(labelled(examples), served.labels),
    )
