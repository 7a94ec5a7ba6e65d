"""Whether a candidate may go live: better than what answers now, and nothing unlearned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chatapp.flows.adapters_contest import Contest
from chatapp.training_records import (
    Adapter,
    AnswerScores,
    ChatReport,
    ClassifyReport,
    Prediction,
)


class Gate(NamedTuple):
    """Passed or not, and why, in plain sentences."""

    passed: bool
    sentences: tuple[str, ...]


class Rival(NamedTuple):
    """What is live in the candidate's slot.

    ``contest`` is how the two did on the same questions; None where nobody can tell, and where
    their reports are about the same test part.
    """

    adapter: Adapter
    contest: Contest | None = None


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


def same_test(candidate: Adapter, live: Adapter) -> bool:
    """Whether both were measured on the same test part, so that their reports can be compared."""
    known = bool(candidate.test_hash) and candidate.test_hash == live.test_hash
    return known and type(candidate.report) is type(live.report)


def _judge_chat(candidate: Adapter, report: ChatReport, rival: Rival | None) -> Gate:
    better, sentence = _better_chat(candidate, report, rival)
    check = report.general
    kept = (
        f"It kept its general ability: {check.after:.0%} of {check.questions} everyday questions "
        f"right, {check.before:.0%} before."
        if check.kept
        else f"It lost general ability: {check.after:.0%} of {check.questions} everyday questions "
        f"right, {check.before:.0%} before; at most {check.allowed_drop:.0%} may be lost."
    )
    return Gate(better and check.kept, (sentence, kept))


def _better_chat(candidate: Adapter, report: ChatReport, rival: Rival | None) -> tuple[bool, str]:
    mine, rows = report.adapter, report.rows.get("test", 0)
    if rival is None:
        other = max(report.base, report.few_shot, key=_strength)
        named = "the base model" if other is report.base else "the base model with examples"
        return _stronger(mine, other, candidate.name, named, rows)
    live = rival.adapter
    if same_test(candidate, live) and isinstance(live.report, ChatReport):
        named = f"the live adapter {live.name}"
        return _stronger(mine, live.report.adapter, candidate.name, named, rows)
    return _by_contest(candidate, live, "adapter", rival.contest)


def _by_contest(
    candidate: Adapter, live: Adapter, kind: str, contest: Contest | None
) -> tuple[bool, str]:
    if contest is None:
        return False, (
            f"The live {kind} {live.name} was measured on another test part than "
            f"{candidate.name}, and cannot be asked the same questions now, so the two cannot be "
            "compared. Open the Teach page of the running server, which can ask both."
        )
    mine = (round(contest.mine, 4), round(contest.rouge_l[0], 4))
    theirs = (round(contest.theirs, 4), round(contest.rouge_l[1], 4))
    verb = "beats" if mine > theirs else "does not beat"
    figures = f"{contest.mine:.1%} right against {contest.theirs:.1%}"
    if any(contest.rouge_l):
        figures += f", ROUGE-L {contest.rouge_l[0]:.3f} against {contest.rouge_l[1]:.3f}"
    if contest.rows:
        how = f"asked {contest.rows:,} of its test questions that {live.name} never learned from"
    else:
        how = (
            f"each on its own test part, as {live.name} has learned from most of the questions of "
            f"{candidate.name}"
        )
    return mine > theirs, (
        f"{candidate.name} {verb} the live {kind} {live.name}: {figures}, {how}."
    )


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
    if rival is None:
        other = _majority(report.predictions)
        named = "always saying the most frequent label"
        better, sentence = _more_right(candidate, report, named, other)
        return Gate(better, (sentence, _winner(report)))
    live = rival.adapter
    if same_test(candidate, live) and isinstance(live.report, ClassifyReport):
        named = f"the live classifier {live.name}"
        better, sentence = _more_right(candidate, report, named, live.report.accuracy)
    else:
        better, sentence = _by_contest(candidate, live, "classifier", rival.contest)
    return Gate(better, (sentence, *_unknown_labels(live, report)))


def _more_right(
    candidate: Adapter, report: ClassifyReport, named: str, other: float
) -> tuple[bool, str]:
    better = report.accuracy > other
    verb = "beats" if better else "does not beat"
    return better, (
        f"{candidate.name} {verb} {named} on the {len(report.predictions):,} test texts: "
        f"{report.accuracy:.1%} right against {other:.1%}."
    )


def _unknown_labels(live: Adapter, report: ClassifyReport) -> tuple[str, ...]:
    theirs = live.report
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
