"""How good a classifier is on texts that it has not learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from chatapp.training.classify.solving import Doubles
from chatapp.training_records import (
    CalibrationBin,
    ClassifyReport,
    CurvePoint,
    Example,
    LabelScore,
    Prediction,
    Scores,
)

_BINS = 10
_SHOWN = 5


def measure(
    name: str,
    examples: Sequence[Example],
    labels: Sequence[str],
    judged: Doubles,
    seconds: float = 0.0,
) -> ClassifyReport:
    """A report on one classifier alone; ``compared`` adds the other one.

    A label that the classifier does not know is counted as wrong, and named.

    Args:
        labels: what the columns of ``judged`` stand for.
    """
    true = [example.label or "" for example in examples]
    best = judged.argmax(axis=1) if len(examples) else np.zeros(0, np.int64)
    said = [labels[number] for number in best]
    unknown = sorted(set(true) - set(labels))
    every = [*labels, *unknown]
    counts = Counter(true)
    per_label = tuple(
        LabelScore(
            label=label,
            precision=float(precision),
            recall=float(recall),
            f1=float(f1),
            support=counts[label],
        )
        for label, precision, recall, f1 in zip(every, *_figures(true, said, every), strict=True)
    )
    confidence = judged.max(axis=1) if len(examples) else np.zeros(0)
    right = np.array([one == other for one, other in zip(true, said, strict=True)], bool)
    bins, error = _calibration(confidence, right)
    macro = _averaged("macro", [one for one in per_label if one.support], weighted=False)
    accuracy = float(right.mean()) if len(right) else 0.0
    return ClassifyReport(
        sentence=_sentence(int(right.sum()), examples, labels),
        winner="adapter",
        labels=tuple(every),
        rows={"test": len(examples)},
        accuracy=accuracy,
        per_label=per_label,
        macro=macro,
        weighted=_averaged("weighted", per_label, weighted=True),
        confusion=_confusion(true, said, every),
        predictions=tuple(
            Prediction(
                text=example.text,
                label=label,
                predicted=predicted,
                confidence=float(sure),
                file=example.file,
                row=example.row,
            )
            for example, label, predicted, sure in zip(
                examples, true, said, confidence, strict=True
            )
        ),
        calibration=bins,
        calibration_error=error,
        curve=(),
        baseline=Scores(name=name, accuracy=accuracy, macro_f1=macro.f1, seconds=seconds),
        fine_tuned=None,
    )


def scores_of(report: ClassifyReport) -> Scores:
    """Of the one classifier that ``measure`` looked at."""
    return report.baseline


def compared(
    winner: ClassifyReport,
    baseline: ClassifyReport,
    fine_tuned: ClassifyReport,
    *,
    adapter_wins: bool,
    rows: Mapping[str, int],
    curve: Sequence[CurvePoint],
    more: str = "",
) -> ClassifyReport:
    """The winner's report, with both classifiers' scores and the verdict.

    Args:
        more: a sentence to add.
    """
    verdict = _verdict(baseline, fine_tuned, adapter_wins=adapter_wins)
    return replace(
        winner,
        sentence=f"{verdict} {more}".strip(),
        winner="adapter" if adapter_wins else "baseline",
        rows=rows,
        curve=tuple(curve),
        baseline=scores_of(baseline),
        fine_tuned=scores_of(fine_tuned),
    )


def right_of(report: ClassifyReport) -> int:
    """How many predictions are right."""
    return sum(one.label == one.predicted for one in report.predictions)


def _figures(
    true: Sequence[str], said: Sequence[str], labels: Sequence[str]
) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    """Precision, recall and F1 of each label; 0 where nothing was there to be right about."""
    from sklearn.metrics import precision_recall_fscore_support

    if not true:
        nothing = [0.0] * len(labels)
        return nothing, nothing, nothing
    figures = precision_recall_fscore_support(true, said, labels=labels, zero_division=0)
    return figures[0], figures[1], figures[2]


def _confusion(
    true: Sequence[str], said: Sequence[str], labels: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    places = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for one, other in zip(true, said, strict=True):
        counts[places[one], places[other]] += 1
    return tuple(tuple(int(count) for count in row) for row in counts)


def _verdict(baseline: ClassifyReport, fine_tuned: ClassifyReport, *, adapter_wins: bool) -> str:
    """In words; two that differ by no more than chance are called equal."""
    total = len(fine_tuned.predictions)
    if not total:
        return "There were too few rows to set any aside, so nobody knows how good it is."
    ours, theirs = right_of(fine_tuned), right_of(baseline)
    pairs = zip(fine_tuned.predictions, baseline.predictions, strict=True)
    differing = sum((a.label == a.predicted) != (b.label == b.predicted) for a, b in pairs)
    if ours == theirs:
        against = "the instant baseline just as many"
    elif abs(ours - theirs) <= differing**0.5:
        against = f"the instant baseline {theirs:,}, which on so few may be chance"
    else:
        against = f"the instant baseline {theirs:,}"
    said = (
        f"The fine-tune sorted {ours:,} of {total:,} test messages rightly "
        f"({ours / total:.1%}); {against}."
    )
    if adapter_wins and ours < theirs:
        return (
            f"{said} On the validation part the fine-tune was at least as good, so it is offered."
        )
    if not adapter_wins:
        return f"{said} The baseline was better on the validation part too, so it is offered."
    return said


def never_learned(examples: Sequence[Example], labels: Sequence[str]) -> str:
    """A sentence on the rows whose label a classifier does not know; empty without such."""
    unknown = Counter(one.label or "" for one in examples if one.label not in labels)
    if not unknown:
        return ""
    shown = ", ".join(sorted(unknown)[:_SHOWN]) + (" …" if len(unknown) > _SHOWN else "")
    return (
        f"{unknown.total():,} of them have a label that it never learned ({shown}) and count as "
        "wrong."
    )


def _sentence(right: int, examples: Sequence[Example], labels: Sequence[str]) -> str:
    total = len(examples)
    if not total:
        return "There was nothing to measure it on."
    said = f"Sorted {right:,} of {total:,} messages rightly ({right / total:.1%})."
    return f"{said} {never_learned(examples, labels)}".strip()


def _averaged(name: str, scores: Sequence[LabelScore], *, weighted: bool) -> LabelScore:
    """Over the labels that occur, as scikit-learn's report has it."""
    weights = [one.support if weighted else 1 for one in scores]
    total = max(1, sum(weights))

    def mean(values: Sequence[float]) -> float:
        return sum(w * value for w, value in zip(weights, values, strict=True)) / total

    return LabelScore(
        label=name,
        precision=mean([one.precision for one in scores]),
        recall=mean([one.recall for one in scores]),
        f1=mean([one.f1 for one in scores]),
        support=sum(one.support for one in scores),
    )


def _calibration(
    confidence: np.ndarray[tuple[int], np.dtype[np.float64]],
    right: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> tuple[tuple[CalibrationBin, ...], float]:
    """Ten bins of equal width, and the expected calibration error (Naeini et al. 2015)."""
    bins, error = [], 0.0
    places = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    for place in range(_BINS):
        inside = places == place
        if count := int(inside.sum()):
            sure, true = float(confidence[inside].mean()), float(right[inside].mean())
            bins.append(CalibrationBin(confidence=sure, accuracy=true, count=count))
            error += abs(sure - true) * count / len(right)
    return tuple(bins), error
