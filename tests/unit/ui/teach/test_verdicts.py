"""Did it help? As the page says it, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatapp.training_records import ClassifyReport, Scores
from chatapp.ui.teach.report_html import headline, helped
from chatapp.ui.teach.texts import TeachWords
from tests.faces.teach_reports import chat_report, classify_report

ENGLISH, CHINESE = TeachWords("en"), TeachWords("zh")


def report(accuracy: float, winner: str = "adapter") -> ClassifyReport:
    tuned = Scores(name="Fine-tune", accuracy=accuracy, macro_f1=accuracy, seconds=9)
    return replace(classify_report(), fine_tuned=tuned, winner=winner)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "good", "said"),
    [
        (report(0.9), True, "有效"),
        (report(0.5), False, "与即时基线相当"),
        (report(0.5, "baseline"), False, "未超过即时基线"),
    ],
)
def test_a_fine_tune_has_to_beat_the_instant_baseline(
    found: ClassifyReport, good: bool, said: str
) -> None:
    assert helped(found) is good
    assert said in CHINESE.verdict(found)
    assert ENGLISH.verdict(found) == found.sentence


def test_an_adapter_has_to_answer_better_and_forget_nothing() -> None:
    assert helped(chat_report())
    assert not helped(chat_report(forgot=True))
    assert headline(chat_report()) == ("68%", "4%")
    assert "68%" in CHINESE.verdict(chat_report())
