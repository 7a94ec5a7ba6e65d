"""What a report says, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from chatapp.training.classify.report import compared, measure, right_of
from chatapp.training_records import ClassifyReport, Example

_LABELS = ("a", "b", "c")


def _examples(labels: str) -> list[Example]:
    return [
        Example(text=f"text {row}", label=label, file="f.csv", row=row)
        for row, label in enumerate(labels, start=2)
    ]


def _said(labels: str, sure: float = 0.8) -> np.ndarray:
    rest = (1 - sure) / 2
    return np.array([[sure if one == label else rest for one in _LABELS] for label in labels])


def _report(true: str, said: str, sure: float = 0.8) -> ClassifyReport:
    return measure("it", _examples(true), _LABELS, _said(said, sure), seconds=3.0)


def test_figures_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import classification_report

    true, said = "aaaabbbbcc", "aaabbbbccc"
    report = _report(true, said)
    theirs = classification_report(list(true), list(said), output_dict=True)

    assert report.accuracy == pytest.approx(theirs["accuracy"])
    for ours in (*report.per_label, report.macro, report.weighted):
        name = f"{ours.label} avg" if ours.label in ("macro", "weighted") else ours.label
        assert ours.precision == pytest.approx(theirs[name]["precision"])
        assert ours.recall == pytest.approx(theirs[name]["recall"])
        assert ours.f1 == pytest.approx(theirs[name]["f1-score"])
        assert ours.support == theirs[name]["support"]
    assert report.confusion == ((3, 1, 0), (0, 3, 1), (0, 0, 2))
    assert (report.baseline.accuracy, report.baseline.seconds) == (report.accuracy, 3.0)


def test_each_prediction_knows_its_row_and_how_sure_it_was() -> None:
    report = _report("ab", "ac", sure=0.7)

    wrong = report.predictions[1]
    assert (wrong.label, wrong.predicted, wrong.file, wrong.row) == ("b", "c", "f.csv", 3)
    assert wrong.confidence == pytest.approx(0.7)


def test_calibration_compares_confidence_with_truth() -> None:
    report = _report("aaaaaaaaaa", "aaaaabbbbb", sure=0.95)

    (only,) = report.calibration
    assert (only.count, only.confidence, only.accuracy) == (10, pytest.approx(0.95), 0.5)
    assert report.calibration_error == pytest.approx(0.45)


def test_labels_that_were_never_learned_are_wrong_and_named() -> None:
    report = measure("it", _examples("azz"), _LABELS, _said("abc"))

    assert report.accuracy == pytest.approx(1 / 3)
    assert report.labels == ("a", "b", "c", "z")
    assert "2 of them have a label that it never learned (z)" in report.sentence
    assert report.per_label[-1].support == 2


def test_nothing_to_measure_is_said() -> None:
    report = measure("it", [], _LABELS, np.zeros((0, 3)))

    assert report.sentence == "There was nothing to measure it on."
    assert report.predictions == report.calibration == ()


@pytest.mark.parametrize(
    ("fine_tuned", "baseline", "wins", "sentence"),
    [
        ("aaaaaaaaab", "aaaabbbbbb", True, "sorted 9 of 10 test messages rightly (90.0%); the "),
        ("aaaaaaaaab", "aaaaaaaaac", True, "the instant baseline just as many."),
        ("aaaaaaaaab", "aaaaaaaabb", True, "baseline 8, which on so few may be chance."),
        ("aaaaaaaabb", "aaaaaaaaab", True, "On the validation part the fine-tune was at least"),
        ("aaaabbbbbb", "aaaaaaaaab", False, "The baseline was better on the validation part"),
    ],
)
def test_the_verdict_is_honest(fine_tuned: str, baseline: str, wins: bool, sentence: str) -> None:
    tuned, plain = _report("a" * 10, fine_tuned), _report("a" * 10, baseline)

    report = compared(
        tuned if wins else plain, plain, tuned, adapter_wins=wins, rows={"test": 10}, curve=()
    )

    assert sentence in report.sentence
    assert report.winner == ("adapter" if wins else "baseline")
    assert report.fine_tuned is not None
    assert right_of(report) == fine_tuned.count("a") if wins else baseline.count("a")
