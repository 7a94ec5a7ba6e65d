"""Whether a candidate may go live: better than what answers now, and nothing unlearned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from chatapp.training_records import (
    Adapter,
    AnswerScores,
    ChatReport,
    ClassifyReport,
    Prediction,
)

Classify = Callable[[Sequence[str]], Sequence[str]]
"""Texts → the label of each."""


class Gate(NamedTuple):
    """Passed or not, and why, in plain sentences."""

    passed: bool
    sentences: tuple[str, ...]


class Rival(NamedTuple):
    """What is live in the candidate's slot.

    ``classify`` is the live classifier at work, where it can be had.
    """

    adapter: Adapter
    classify: Classify | None = None


def judge(candidate: Adapter, rival: Rival | None) -> Gate:
    """Compare a candidate with what is live in its slot; None: with the base, or the baseline."""
    match candidate.report:
        case ChatReport() as report:
            return _judge_chat(candidate, report, rival)
        case ClassifyReport() as report:
            return _judge_classifier(candidate, report, rival)
    return Gate(
        False,
        (
            f"{candidate.name} was never measured here, so nobody knows whether it is better. "
            f"Measure it first: python -m chatapp evaluate adapter {candidate.name} FILE.",
        ),
    )


def _judge_chat(candidate: Adapter, report: ChatReport, rival: Rival | None) -> Gate:
    better, sentence = _better_chat(candidate, report, rival)
    check = report.general
    kept = (
        f"It kept its general ability: {check.after:.0%} of {check.questions} everyday questions "
        f"right, before it {check.before:.0%}."
        if check.kept
        else f"It lost general ability: {check.after:.0%} of {check.questions} everyday questions "
        f"right, before it {check.before:.0%}; at most {check.allowed_drop:.0%} may be lost."
    )
    return Gate(better and check.kept, (sentence, kept))


def _better_chat(candidate: Adapter, report: ChatReport, rival: Rival | None) -> tuple[bool, str]:
    mine = report.adapter
    if rival is None:
        other = max(report.base, report.few_shot, key=_strength)
        named = "the base model" if other is report.base else "the base model with examples"
        return _stronger(mine, other, candidate.name, named, report.rows.get("test", 0))
    theirs = rival.adapter.report
    if not isinstance(theirs, ChatReport):
        return False, f"The live adapter {rival.adapter.name} was never measured here."
    if not candidate.test_hash or candidate.test_hash != rival.adapter.test_hash:
        return False, (
            f"The live adapter {rival.adapter.name} was measured on other questions "
            f"({_said(theirs.adapter)}) than {candidate.name} ({_said(mine)}), so the two reports "
            "cannot be compared. Compare their answers side by side, then decide."
        )
    named = f"the live adapter {rival.adapter.name}"
    return _stronger(mine, theirs.adapter, candidate.name, named, report.rows.get("test", 0))


def _stronger(
    mine: AnswerScores, other: AnswerScores, name: str, named: str, rows: int
) -> tuple[bool, str]:
    better = _strength(mine) > _strength(other)
    verb = "beats" if better else "does not beat"
    return better, (
        f"{name} {verb} {named} on the {rows:,} test questions: {_said(mine)} against "
        f"{_said(other)}."
    )


def _strength(scores: AnswerScores) -> tuple[float, float]:
    """Right answers first; how near the words come decides between equals."""
    return round(scores.contained, 4), round(scores.rouge_l, 4)


def _said(scores: AnswerScores) -> str:
    return f"{scores.contained:.1%} right, ROUGE-L {scores.rouge_l:.3f}"


def _judge_classifier(candidate: Adapter, report: ClassifyReport, rival: Rival | None) -> Gate:
    rows = len(report.predictions)
    if rival is None:
        other = _majority(report.predictions)
        named = "always saying the most frequent label"
        notes: tuple[str, ...] = (_winner(report),)
    else:
        named = f"the live classifier {rival.adapter.name}"
        measured = _accuracy_of(rival, candidate, report)
        if measured is None:
            return Gate(
                False,
                (
                    f"{named.capitalize()} was measured on other texts than {candidate.name}, and "
                    "cannot be measured on these now, so the two cannot be compared.",
                ),
            )
        other, notes = measured, _unknown_labels(rival, report)
    better = report.accuracy > other
    verb = "beats" if better else "does not beat"
    return Gate(
        better,
        (
            f"{candidate.name} {verb} {named} on the {rows:,} test texts: {report.accuracy:.1%} "
            f"right against {other:.1%}.",
            *notes,
        ),
    )


def _accuracy_of(rival: Rival, candidate: Adapter, report: ClassifyReport) -> float | None:
    """How much of the candidate's test part the live one gets right; None: nobody can tell."""
    theirs = rival.adapter.report
    same = bool(candidate.test_hash) and candidate.test_hash == rival.adapter.test_hash
    if same and isinstance(theirs, ClassifyReport):
        return theirs.accuracy
    if rival.classify is None or not report.predictions:
        return None
    said = rival.classify([one.text for one in report.predictions])
    right = sum(one.label == label for one, label in zip(report.predictions, said, strict=True))
    return right / len(report.predictions)


def _unknown_labels(rival: Rival, report: ClassifyReport) -> tuple[str, ...]:
    theirs = rival.adapter.report
    known = theirs.labels if isinstance(theirs, ClassifyReport) else report.labels
    unknown = sorted(set(report.labels) - set(known))
    if not unknown:
        return ()
    shown = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
    return (f"The live classifier does not know these labels: {shown}.",)


def _winner(report: ClassifyReport) -> str:
    tuned = report.fine_tuned
    if tuned is None:
        return "It is the instant baseline; there was no fine-tune."
    if report.winner == "adapter":
        return (
            f"The fine-tune is better than the instant baseline: {tuned.accuracy:.1%} against "
            f"{report.baseline.accuracy:.1%}."
        )
    return (
        f"The instant baseline is better than the fine-tune, and goes live instead of it: "
        f"{report.baseline.accuracy:.1%} against {tuned.accuracy:.1%}."
    )


def _majority(predictions: Sequence[Prediction]) -> float:
    counts: Mapping[str, int] = Counter(one.label for one in predictions)
    return max(counts.values(), default=0) / max(1, len(predictions))
