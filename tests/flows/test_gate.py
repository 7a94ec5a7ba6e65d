"""What the gate says of a classifier that has nobody to beat but its own baseline."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatapp.flows.adapters_gate import judge
from chatapp.flows.adapters_gate_words import GateWords
from chatapp.training_records import Adapter, ClassifyReport, LabelScore, Prediction, Scores


def a_candidate(winner: str, tuned: float, plain: float) -> Adapter:
    average = LabelScore(label="", precision=tuned, recall=tuned, f1=tuned, support=4)
    asked = [("a", "a"), ("a", "a"), ("b", "b"), ("b", "a")]
    report = ClassifyReport(
        sentence="",
        winner=winner,  # type: ignore[arg-type]
        labels=("a", "b"),
        rows={"test": 4},
        accuracy=0.75,
        per_label=(),
        macro=average,
        weighted=average,
        confusion=((2, 0), (1, 1)),
        predictions=tuple(
            Prediction(text="", label=label, predicted=said, confidence=1.0)
            for label, said in asked
        ),
        calibration=(),
        calibration_error=0.0,
        curve=(),
        baseline=Scores(name="baseline", accuracy=plain, macro_f1=plain, seconds=1.0),
        fine_tuned=Scores(name="fine-tune", accuracy=tuned, macro_f1=tuned, seconds=1.0),
    )
    return Adapter(
        id="1",
        name="shop",
        slot="intent",
        kind="classifier",
        folder="/nowhere",
        base_model="minilm",
        base_hash="",
        created_at=datetime.now(UTC),
        report=report,
    )


@pytest.mark.parametrize(
    ("winner", "tuned", "plain", "said"),
    [
        ("adapter", 0.8, 0.7, "The fine-tune is better than the instant baseline: 80.0%"),
        ("adapter", 0.8, 0.825, "on the test part it is about as good: 80.0% against 82.5%"),
        ("baseline", 0.7, 0.8, "The instant baseline is better than the fine-tune"),
    ],
)
def test_the_baseline_is_compared_truthfully(
    winner: str, tuned: float, plain: float, said: str
) -> None:
    gate = judge(a_candidate(winner, tuned, plain), None, GateWords())
    assert gate.passed  # three of four are right, and the most frequent label is right in two
    assert said in gate.sentences[-1]
