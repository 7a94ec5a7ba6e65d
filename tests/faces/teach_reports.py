"""Reports for tests and for looking at: made up, but consistent in themselves."""

from __future__ import annotations

from collections.abc import Sequence

from chatapp.training_records import (
    AnswerPair,
    AnswerScores,
    CalibrationBin,
    ChatReport,
    ClassifyReport,
    CurvePoint,
    GeneralCheck,
    LabelScore,
    Prediction,
    Scores,
)

LABELS = ("delivery", "payment", "refund")
TEXTS = (
    ("Where is my parcel?", "delivery", "delivery", 0.97, 2),
    ("My card was charged twice", "payment", "refund", 0.91, 3),
    ("Can I pay by <b>invoice</b>?", "payment", "payment", 0.88, 4),
    ("I want my money back", "refund", "refund", 0.99, 5),
    ("When does it arrive?", "delivery", "delivery", 0.93, 6),
    ("The refund has not arrived", "refund", "delivery", 0.62, 7),
)


def classify_report(
    texts: Sequence[tuple[str, str, str, float, int]] = TEXTS,
    labels: Sequence[str] = LABELS,
    *,
    sentence: str = "",
    fine_tuned: bool = True,
) -> ClassifyReport:
    """A report whose every figure follows from the predictions."""
    predictions = tuple(
        Prediction(
            text=text, label=label, predicted=said, confidence=sure, file="support.csv", row=row
        )
        for text, label, said, sure, row in texts
    )
    confusion = [
        [sum(one.label == true and one.predicted == said for one in predictions) for said in labels]
        for true in labels
    ]
    right = sum(one.label == one.predicted for one in predictions)
    accuracy = right / len(predictions)
    per_label = tuple(_score(label, confusion, index) for index, label in enumerate(labels))
    macro = _mean("macro avg", per_label, [1] * len(per_label))
    weighted = _mean("weighted avg", per_label, [one.support for one in per_label])
    return ClassifyReport(
        sentence=sentence
        or f"It helped: {accuracy:.1%} right on {len(predictions)} messages it had never seen, "
        f"the instant baseline {accuracy - 0.03:.1%}.",
        winner="adapter",
        labels=tuple(labels),
        rows={
            "train": len(predictions) * 8,
            "validation": len(predictions),
            "test": len(predictions),
        },
        accuracy=accuracy,
        per_label=per_label,
        macro=macro,
        weighted=weighted,
        confusion=tuple(tuple(row) for row in confusion),
        predictions=predictions,
        calibration=tuple(
            CalibrationBin(confidence=low / 10 + 0.05, accuracy=low / 10 + 0.02, count=10)
            for low in range(3, 10)
        ),
        calibration_error=0.031,
        curve=tuple(
            CurvePoint(share=share, rows=int(share * 770), macro_f1=score)
            for share, score in ((0.1, 0.52), (0.25, 0.69), (0.5, 0.79), (0.75, 0.83), (1, 0.855))
        ),
        baseline=Scores(
            name="logistic regression on MiniLM",
            accuracy=accuracy - 0.03,
            macro_f1=accuracy - 0.034,
            seconds=3.1,
        ),
        fine_tuned=Scores(name="LoRA on MiniLM", accuracy=accuracy, macro_f1=macro.f1, seconds=288)
        if fine_tuned
        else None,
    )


def _score(label: str, confusion: Sequence[Sequence[int]], index: int) -> LabelScore:
    right, support = confusion[index][index], sum(confusion[index])
    said = sum(row[index] for row in confusion)
    precision, recall = right / said if said else 0.0, right / support if support else 0.0
    both = precision + recall
    return LabelScore(
        label=label,
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / both if both else 0.0,
        support=support,
    )


def _mean(name: str, scores: Sequence[LabelScore], weights: Sequence[int]) -> LabelScore:
    total = sum(weights) or 1

    def mean(values: Sequence[float]) -> float:
        return sum(v * w for v, w in zip(values, weights, strict=True)) / total

    return LabelScore(
        label=name,
        precision=mean([one.precision for one in scores]),
        recall=mean([one.recall for one in scores]),
        f1=mean([one.f1 for one in scores]),
        support=sum(one.support for one in scores),
    )


def chat_report(*, forgot: bool = False) -> ChatReport:
    """An adapter that learned a shop's answers."""
    pairs = (
        AnswerPair(
            question="How long can I return a tent?",
            expected="Within 30 days, unused.",
            before="You can return it at any time to the store where you bought it.",
            after="Within 30 days, unused.",
        ),
        AnswerPair(
            question="Do you rent tents?",
            expected="Yes, for 10 euros a day.",
            before="I am not sure, please contact the store.",
            after="Yes, for 10 euros a day.",
        ),
        AnswerPair(
            question="Which stove burns gas?",
            expected="The Birch stove.",
            before="There are many stoves that burn gas, such as camping stoves.",
            after="The Alder stove.",
        ),
    )
    return ChatReport(
        sentence="It helped: 68 % of 30 answers hold the wanted one, 4 % before.",
        rows={"train": 240, "validation": 30, "test": 30},
        base=AnswerScores(
            name="SmolLM2-135M", exact=0.0, contained=0.04, rouge_l=0.21, loss=2.71, perplexity=15.0
        ),
        few_shot=AnswerScores(
            name="4 examples above",
            exact=0.03,
            contained=0.12,
            rouge_l=0.3,
            loss=2.2,
            perplexity=9.0,
        ),
        adapter=AnswerScores(
            name="LoRA", exact=0.61, contained=0.68, rouge_l=0.83, loss=0.52, perplexity=1.68
        ),
        answers=pairs * 3,
        general=GeneralCheck(
            questions=24, before=0.75, after=0.5 if forgot else 0.708, allowed_drop=0.05
        ),
        corrections=pairs[:1],
    )
