"""The loss is the same however rows share a batch, and what the library's own would be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.chat.lessons import IGNORED, Lesson, lessons_of
from chatapp.training.chat.trainer import AnswerTrainer, batch_of
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
        data_collator=batch_of,
        smoothing=smoothing,
    )


def test_a_padded_batch_costs_what_its_rows_cost_alone(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path)
    model = trainer.model.train()
    alone = sum(trainer.compute_loss(model, batch_of([one]), False, 1).item() for one in lessons)
    together = trainer.compute_loss(model, batch_of(lessons), False, 1).item()
    assert together == pytest.approx(alone, rel=1e-5)
    measured = losses(model, lessons)
    assert together == pytest.approx(sum(cost for cost, _ in measured), rel=1e-5)
    count = sum(label != IGNORED for one in lessons for label in one["labels"])
    mean = float(trainer.compute_loss(model, batch_of(lessons)))
    assert mean == pytest.approx(together / count, rel=1e-5)


def test_it_is_the_library_s_own_loss_and_gradient(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path)
    model = trainer.model.train()
    rows = batch_of(lessons)
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
    rows = batch_of(lessons)
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
    rows = batch_of(lessons)
    trainer.compute_loss(trainer.model, dict(rows))
    answer = max(sum(label != IGNORED for label in one["labels"]) for one in lessons)
    # The turn's end is followed by a line break, which is read but not learned.
    assert widths == [answer]
    assert answer < rows["input_ids"].shape[1] / 2


def test_tokens_are_counted_without_padding(
    base: Path, lessons: list[Lesson], tmp_path: Path
) -> None:
    trainer = a_trainer(base, tmp_path)
    trainer.compute_loss(trainer.model.train(), batch_of(lessons))
    assert trainer._metrics["train"]["num_tokens"] == [
        sum(len(one["input_ids"]) for one in lessons)
    ]
