"""Whether a candidate may go live: better than what answers now, and nothing unlearned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chatapp.flows.adapters_contest import Contest
from chatapp.flows.adapters_gate_words import GateWords
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


def judge(candidate: Adapter, rival: Rival | None, say: GateWords) -> Gate:
    """Compare a candidate with what is live in its slot; None: with the base, or the baseline."""
    match candidate.report:
        case ChatReport() as report:
            return _judge_chat(candidate, report, rival, say)
        case ClassifyReport() as report:
            return _judge_classifier(candidate, report, rival, say)
    return Gate(False, (say("unmeasured", name=candidate.name),))


def same_test(candidate: Adapter, live: Adapter) -> bool:
    """Whether both were measured on the same test part, so that their reports can be compared."""
    known = bool(candidate.test_hash) and candidate.test_hash == live.test_hash
    return known and type(candidate.report) is type(live.report)


def _judge_chat(
    candidate: Adapter, report: ChatReport, rival: Rival | None, say: GateWords
) -> Gate:
    better, sentence = _better_chat(candidate, report, rival, say)
    check = report.general
    general = say(
        "kept" if check.kept else "lost",
        after=check.after,
        before=check.before,
        count=check.questions,
        allowed=check.allowed_drop,
    )
    return Gate(better and check.kept, (sentence, general))


def _better_chat(
    candidate: Adapter, report: ChatReport, rival: Rival | None, say: GateWords
) -> tuple[bool, str]:
    if rival is None:
        theirs = max(report.base, report.few_shot, key=_strength)
        other = say("base" if theirs is report.base else "few_shot")
    elif same_test(candidate, rival.adapter) and isinstance(rival.adapter.report, ChatReport):
        theirs = rival.adapter.report.adapter
        other = say("live_adapter", name=rival.adapter.name)
    else:
        return _by_contest(candidate, rival, "live_adapter", say)
    better = _strength(report.adapter) > _strength(theirs)
    mine, their = (
        say("right_near", share=one.contained, near=one.rouge_l) for one in (report.adapter, theirs)
    )
    return better, say(
        "better_chat" if better else "worse_chat",
        name=candidate.name,
        other=other,
        rows=report.rows.get("test", 0),
        mine=mine,
        theirs=their,
    )


def _strength(scores: AnswerScores) -> tuple[float, float]:
    """Right answers first; how near the words come decides between equals."""
    return round(scores.contained, 4), round(scores.rouge_l, 4)


def _by_contest(candidate: Adapter, rival: Rival, kind: str, say: GateWords) -> tuple[bool, str]:
    live, contest = rival.adapter, rival.contest
    other = say(kind, name=live.name)
    if contest is None:
        return False, say("incomparable", name=candidate.name, other=other)
    shares, near = (contest.mine, contest.theirs), contest.rouge_l
    key = "right_near" if any(near) else "right"
    mine, theirs = (
        say(key, share=share, near=one) for share, one in zip(shares, near, strict=True)
    )
    strengths = [(round(share, 4), round(one, 4)) for share, one in zip(shares, near, strict=True)]
    better = strengths[0] > strengths[1]
    verdict = "better" if better else "worse"
    return better, say(
        f"{verdict}_unseen" if contest.rows else f"{verdict}_own",
        name=candidate.name,
        other=other,
        live=live.name,
        rows=contest.rows,
        mine=mine,
        theirs=theirs,
    )


def _judge_classifier(
    candidate: Adapter, report: ClassifyReport, rival: Rival | None, say: GateWords
) -> Gate:
    if rival is None:
        other, share = say("majority"), _majority(report.predictions)
        better, sentence = _more_right(candidate, report, other, share, say)
        return Gate(better, (sentence, _winner(report, say)))
    live = rival.adapter
    if same_test(candidate, live) and isinstance(live.report, ClassifyReport):
        other = say("live_classifier", name=live.name)
        better, sentence = _more_right(candidate, report, other, live.report.accuracy, say)
    else:
        better, sentence = _by_contest(candidate, rival, "live_classifier", say)
    return Gate(better, (sentence, *_unknown_labels(live, report, say)))


def _more_right(
    candidate: Adapter, report: ClassifyReport, other: str, share: float, say: GateWords
) -> tuple[bool, str]:
    better = report.accuracy > share
    return better, say(
        "better_texts" if better else "worse_texts",
        name=candidate.name,
        other=other,
        rows=len(report.predictions),
        mine=say("right", share=report.accuracy),
        theirs=say("right", share=share),
    )


def _unknown_labels(live: Adapter, report: ClassifyReport, say: GateWords) -> tuple[str, ...]:
    theirs = live.report
    known = theirs.labels if isinstance(theirs, ClassifyReport) else report.labels
    unknown = sorted(set(report.labels) - set(known))
    if not unknown:
        return ()
    shown = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
    return (say("unknown_labels", labels=shown),)


def _winner(report: ClassifyReport, say: GateWords) -> str:
    tuned = report.fine_tuned
    if tuned is None:
        return say("only_baseline")
    if report.winner == "baseline":
        key = "baseline_wins"
    else:
        key = "tuned_wins" if tuned.accuracy > report.baseline.accuracy else "tuned_chosen"
    return say(key, tuned=tuned.accuracy, plain=report.baseline.accuracy)


def _majority(predictions: Sequence[Prediction]) -> float:
    counts: Mapping[str, int] = Counter(one.label for one in predictions)
    return max(counts.values(), default=0) / max(1, len(predictions))
