"""Reports, run folders and adapters as trainers leave them, made in a moment."""

from __future__ import annotations

from collections.abc import Sequence

from chatapp.training_records import (
    AnswerPair,
    AnswerScores,
    ChatReport,
    ClassifyReport,
    GeneralCheck,
    LabelScore,
    Prediction,
    Scores,
)

QUESTIONS = ("Where is my parcel?", "Can I return a tent?", "Do you ship abroad?", "Who are you?")


def chat_report(
    contained: float = 0.6,
    *,
    base: float = 0.1,
    few_shot: float = 0.2,
    rouge: float = 0.5,
    general: tuple[float, float] = (0.5, 0.5),
    questions: Sequence[str] = QUESTIONS,
) -> ChatReport:
    """Of an adapter that is right in this share of the test part."""
    return ChatReport(
        sentence="It helped.",
        rows={"train": 40, "validation": 4, "test": len(questions)},
        base=AnswerScores(name="Base", exact=0.0, contained=base, rouge_l=0.1),
        few_shot=AnswerScores(name="Examples", exact=0.0, contained=few_shot, rouge_l=0.2),
        adapter=AnswerScores(name="Adapter", exact=0.3, contained=contained, rouge_l=rouge),
        answers=tuple(
            AnswerPair(question=one, expected=f"To {one}", before="?", after=f"To {one}")
            for one in questions
        ),
        general=GeneralCheck(questions=20, before=general[0], after=general[1], allowed_drop=0.1),
    )


def classify_report(
    right: Sequence[bool] = (True, True, True, False),
    *,
    labels: Sequence[str] = ("refund", "delivery"),
    texts: Sequence[str] = QUESTIONS,
    baseline: float = 0.5,
) -> ClassifyReport:
    """Of a classifier that is right where ``right`` says so."""
    pairs = [
        (labels[n % len(labels)], labels[(n + (not ok)) % len(labels)])
        for n, ok in enumerate(right)
    ]
    accuracy = sum(right) / len(right)
    score = LabelScore(
        label="", precision=accuracy, recall=accuracy, f1=accuracy, support=len(right)
    )
    return ClassifyReport(
        sentence="It helped.",
        winner="adapter",
        labels=tuple(labels),
        rows={"train": 40, "validation": 4, "test": len(right)},
        accuracy=accuracy,
        per_label=(),
        macro=score,
        weighted=score,
        confusion=(),
        predictions=tuple(
            Prediction(text=text, label=label, predicted=predicted, confidence=0.9)
            for text, (label, predicted) in zip(texts, pairs, strict=True)
        ),
        calibration=(),
        calibration_error=0.1,
        curve=(),
        baseline=Scores(name="Baseline", accuracy=baseline, macro_f1=baseline, seconds=1),
        fine_tuned=Scores(name="Fine-tune", accuracy=accuracy, macro_f1=accuracy, seconds=9),
    )
