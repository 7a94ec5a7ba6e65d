"""The loss is the same however rows share a batch, and what the library's own would be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.chat.batching import Batches, padded_batch
from chatapp.training.chat.lessons import IGNORED, Lesson, lessons_of
from chatapp.training.chat.trainer import AnswerTrainer
from chatapp.training.chat.writing import losses
from tests.tiny_models import tiny_hf
from tests.unit.training.chat.school import asked

EXAMPLES = (
    asked("When?", "Today."),
    asked("When does the parcel arrive at my house?", "In three days, or a little later."),
    asked("Is the delivery free from fifty euros?", "Yes."),
    asked("Hello", "Hello! Is there anything that I can help with?"),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hf(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def lessons(base: Path) -> list[Lesson]:
    return lessons_of(EXAMPLES, ChatTokenizer.load(base), "", 500)[0]


def a_trainer(base: Path, folder: Path, smoothing: float = 0.0) -> AnswerTrainer:
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return AnswerTrainer(
        model=get_peft_model(model, LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM")),
        args=SFTConfig(
            output_dir=str(folder),
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list([{"input_ids": [1, 2], "labels": [1, 2]}]),
        processing_class=AutoTokenizer.from_pretrained(base),
        data_collator=Batches(64, may_share=True),
        smoothing=smoothing,
    )


def test_a_padded_batch_costs_what_its_rows_cost_alone(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path)
    model = trainer.model.train()
    alone = sum(
        trainer.compute_loss(model, padded_batch([one]), False, 1).item() for one in lessons
    )
    together = trainer.compute_loss(model, padded_batch(lessons), False, 1).item()
    assert together == pytest.approx(alone, rel=1e-5)
    measured = losses(model, lessons)
    assert together == pytest.approx(sum(cost for cost, _ in measured), rel=1e-5)
    count = sum(label != IGNORED for one in lessons for label in one["labels"])
    mean = float(trainer.compute_loss(model, padded_batch(lessons)))
    assert mean == pytest.approx(together / count, rel=1e-5)


def test_it_is_the_library_s_own_loss_and_gradient(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path)
    model = trainer.model.train()
    rows = padded_batch(lessons)
    ours = trainer.compute_loss(model, dict(rows))
    theirs = super(AnswerTrainer, trainer).compute_loss(model, dict(rows))
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)
    weights = [one for one in model.parameters() if one.requires_grad]
    for mine, other in zip(
        torch.autograd.grad(ours, weights), torch.autograd.grad(theirs, weights), strict=True
    ):
        assert torch.allclose(mine, other, atol=1e-6)


def test_certainty_is_spread_while_learning_and_not_while_measuring(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path, smoothing=0.2)
    model = trainer.model.train()
    rows = padded_batch(lessons)
    logits = model(rows["input_ids"], attention_mask=rows["attention_mask"]).logits[:, :-1]
    targets = rows["labels"][:, 1:]

    def expected(smoothing: float) -> float:
        flat = logits.flatten(0, 1), targets.flatten()
        return float(functional.cross_entropy(*flat, label_smoothing=smoothing))

    assert float(trainer.compute_loss(model, rows)) == pytest.approx(expected(0.2), rel=1e-4)
    model.eval()
    assert float(trainer.compute_loss(model, rows)) == pytest.approx(expected(0.0), rel=1e-4)


def test_only_places_with_an_answer_are_scored(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path)
    widths: list[int] = []
    head = trainer.model.get_output_embeddings()
    head.register_forward_hook(lambda _module, _given, scores: widths.append(scores.shape[1]))
    rows = padded_batch(lessons)
    trainer.compute_loss(trainer.model, dict(rows))
    answer = max(sum(label != IGNORED for label in one["labels"]) for one in lessons)
    # The turn's end is followed by a line break, which is read but not learned.
    assert widths == [answer]
    assert answer < rows["input_ids"].shape[1] / 2


def test_a_shared_beginning_is_computed_once_and_costs_the_same(base: Path, tmp_path: Path) -> None:
    system = "You are the assistant of a shop. " * 4
    lessons, _ = lessons_of(EXAMPLES, ChatTokenizer.load(base), system, 500)
    trainer = a_trainer(base, tmp_path)
    model = trainer.model.train()
    padded, shared = padded_batch(lessons), Batches(64, may_share=True)(lessons)
    assert shared["input_ids"].shape[0] == 1
    assert shared["input_ids"].numel() < padded["input_ids"].numel() / 2
    weights = [one for one in model.parameters() if one.requires_grad]
    losses_ = [trainer.compute_loss(model, batch) for batch in (padded, shared)]
    assert losses_[1].item() == pytest.approx(losses_[0].item(), rel=1e-5)
    for mine, other in zip(*(torch.autograd.grad(one, weights) for one in losses_), strict=True):
        assert torch.allclose(mine, other, atol=1e-6)


def test_what_does_not_begin_alike_stands_behind_one_another(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    batches = Batches(64, may_share=True)
    other = Lesson(input_ids=[9, *lessons[1]["input_ids"]], labels=[IGNORED, *lessons[1]["labels"]])
    rows = [lessons[0], other]
    batch = batches(rows)
    assert batch["input_ids"].tolist() == [[*lessons[0]["input_ids"], *other["input_ids"]]]
    trainer = a_trainer(base, tmp_path)
    found = [trainer.compute_loss(trainer.model, one).item() for one in (batch, padded_batch(rows))]
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_long_rows_and_what_a_gpu_gets_are_padded(lessons: list[Lesson]) -> None:
    long = [Lesson(input_ids=[number] * 400, labels=[IGNORED] * 400) for number in (5, 6, 7, 8)]
    assert Batches(64, may_share=True)(long)["input_ids"].shape == (4, 400)
    assert Batches(64, may_share=True).pads(long)
    assert not Batches(4096, may_share=True).pads(lessons)
    assert Batches(64, may_share=False).pads(lessons)
    assert Batches(64, may_share=False)(lessons)["input_ids"].shape[0] == len(lessons)


def test_each_row_keeps_the_token_that_writes_its_first_word() -> None:
    rows = [
        Lesson(input_ids=[1, 2, 3, end], labels=[IGNORED, IGNORED, IGNORED, end]) for end in (8, 9)
    ]
    batch = Batches(64, may_share=True)(rows)
    assert batch["input_ids"].tolist() == [[1, 2, 3, 8, 3, 9]]
    assert batch["labels"].tolist() == [[IGNORED, IGNORED, IGNORED, 8, IGNORED, 9]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 2, 3]]
    assert batch["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 1, 1],
    ]


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_the_validation_loss_does_not_depend_on_who_shares_a_batch(
    base: Path, lessons: list[Lesson], tmp_path: Path, batch_size: int
) -> None:
    from datasets import Dataset

    trainer = a_trainer(base, tmp_path)
    trainer.args.per_device_eval_batch_size = batch_size
    found = trainer.evaluate(Dataset.from_list([dict(one) for one in lessons]))
    costs = losses(trainer.model, lessons)
    expected = sum(cost for cost, _ in costs) / sum(count for _, count in costs)
    assert found["eval_loss"] == pytest.approx(expected, rel=1e-5)


def test_tokens_are_counted_without_padding(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path)
    trainer.compute_loss(trainer.model.train(), Batches(64, may_share=True)(lessons))
    assert trainer._metrics["train"]["num_tokens"] == [
        sum(len(one["input_ids"]) for one in lessons)
    ]
