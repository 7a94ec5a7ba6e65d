"""Figures of the report, worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import DatasetError, ModelError
from chatapp.training.chat import evaluate_adapter
from chatapp.training.chat.everyday import EVERYDAY
from chatapp.training.chat.lessons import IGNORED, lessons_of
from chatapp.training.chat.presets import presets
from chatapp.training.chat.scoring import is_contained, is_exact, rouge_l, score_answers
from chatapp.training.chat.shots import Shots
from chatapp.training.config import make_config
from chatapp.training_records import Example
from tests.tiny_models import tiny_hf
from tests.unit.training.chat.school import asked


@pytest.mark.parametrize(
    ("expected", "answer", "exact", "contained"),
    [
        ("180 euros", "180 euros", True, True),
        ("180 euros", " 180 Euros. ", True, True),
        ("180 euros", "It costs 180 euros today.", False, True),
        ("80 euros", "It costs 180 euros.", False, False),
        ("1.5 kg", "It weighs 1.5 kg", False, True),
        ("1.5 kg", "It weighs 1.57 kg", False, False),
        ("sand", "thousands", False, False),
        ("三天", "您的包裹三天到。", False, True),
        ("三天", "三个工作天", False, False),
        ("...", "!", True, True),
        ("yes", "", False, False),
    ],
)
def test_exact_and_contained(expected: str, answer: str, exact: bool, contained: bool) -> None:
    assert is_exact(expected, answer) is exact
    assert is_contained(expected, answer) is contained


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence() -> None:
    # "the parcel comes" is common: 3 of 5 and 3 of 4 words.
    assert rouge_l("the parcel comes on Monday", "the red parcel comes") == pytest.approx(6 / 9)
    # Character by character: 包 裹 天 of 5 and of 4.
    assert rouge_l("包裹三天到", "包裹十天") == pytest.approx(6 / 9)
    assert rouge_l("yes", "") == 0


def test_scores_are_shares_of_all_answers() -> None:
    scores = score_answers("Base", ["a b", "c", "d e"], ["a b", "it is c", "x"])
    assert (scores.exact, scores.contained) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert scores.rouge_l == pytest.approx((1 + 2 / 4 + 0) / 3)


def test_nearest_examples_come_first_and_the_question_itself_never() -> None:
    taught = [asked(f"What is the price of item {number}?", str(number)) for number in range(20)]
    shots = Shots([*taught, asked("When do you open on Sundays?", "At nine.")])
    turns = shots.before(asked("When do you open on Mondays?", "?"))
    assert turns[-2].content == "When do you open on Sundays?"
    assert turns[-1].content == "At nine."
    assert all(one.content != "What is the price of item 3?" for one in shots.before(taught[3]))
    assert Shots([Example(text="plain")]).before(taught[0]) == []


def test_everyday_questions_have_four_different_answers_each() -> None:
    assert len(EVERYDAY) == 40
    assert all(len(set(row)) == 5 for row in EVERYDAY)
    assert len({row[0] for row in EVERYDAY}) == len(EVERYDAY)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hf(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def unchanged(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes nothing: PEFT starts B at zero."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("adapter")
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    plain = LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM")
    get_peft_model(model, plain).save_pretrained(folder)
    return folder


def test_an_adapter_that_changes_nothing_is_reported_so(base: Path, unchanged: Path) -> None:
    examples = [asked("When?", "Today."), asked("How much?", "Nine euros."), Example(text="Open.")]
    report = evaluate_adapter(base, unchanged, examples)
    assert report.sentence.startswith("It did not help")
    assert report.base.loss == pytest.approx(report.adapter.loss)
    assert report.general.before == report.general.after
    assert report.general.kept
    assert [one.question for one in report.answers] == ["When?", "How much?"]
    assert all(one.before == one.after for one in report.answers)
    assert report.base.perplexity == pytest.approx(math.exp(report.base.loss or 0))
    assert report.base.loss == pytest.approx(loss_by_hand(base, examples), rel=1e-4)


def loss_by_hand(base: Path, examples: list[Example]) -> float:
    """Token by token, one row after the other."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    costs = []
    for lesson in lessons_of(examples, ChatTokenizer.load(base), "", 500)[0]:
        with torch.no_grad():
            scores = model(torch.tensor([lesson["input_ids"]])).logits[0].log_softmax(-1)
        for at, label in enumerate(lesson["labels"]):
            if at and label != IGNORED:
                costs.append(-float(scores[at - 1, label]))
    return sum(costs) / len(costs)


def test_what_cannot_be_measured_is_refused(base: Path, unchanged: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no example to measure on"):
        evaluate_adapter(base, unchanged, [])
    (tmp_path / "adapter_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match="a pickle file could run any code"):
        evaluate_adapter(base, tmp_path, [asked("When?")])


def test_presets_are_settings_and_decide_the_same_ones() -> None:
    decided = [
        presets(preset, rows, gpu)
        for preset in ("quick", "balanced", "thorough")
        for rows in (20, 300, 50_000)
        for gpu in (False, True)
    ]
    assert len({tuple(one) for one in decided}) == 1
    for one in decided:
        make_config({"task": "chat", "name": "shop", **one})
