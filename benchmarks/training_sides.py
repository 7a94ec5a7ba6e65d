"""One fine-tune, by the app or by plain TRL: ``python -m benchmarks.training_sides SIDE PLAN``.

The plan is a JSON file that both are told the same by; the figures are the last line of what is
printed. What is learned, the adapter's shape, the order of sizes and the schedule are equal; the
library's defaults are its own.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.chat.lessons import lessons_of
from chatapp.training.chat.tuning import TARGETS, Tuning, tune
from chatapp.training.chat.writing import losses
from chatapp.training.config import make_config
from chatapp.training_records import Example

SIDES = {
    "chatapp": "this app's chat task",
    "trl": "TRL's SFTTrainer as it comes: bfloat16, activations computed twice",
    "trl-lean": "the same in float32 and without computing activations twice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be learned, and how.

    Attributes:
        base: folder of the model.
        train, validation: questions with their answers.
    """

    base: str
    train: list[tuple[str, str]]
    validation: list[tuple[str, str]]
    epochs: int
    batch_size: int
    learning_rate: float
    rank: int
    seed: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How it went; ``rate``: tokens of the examples a second, padding not counted."""

    rate: float
    validation_loss: float
    seconds: float
    peak_mib: int


class _Stopwatch(TrainerCallback):  # type: ignore[misc]
    """From before the first step to after the last."""

    def __init__(self) -> None:
        self.began = self.ended = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.began = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ended = time.monotonic()


def play(side: str, plan: Plan) -> Figures:
    """Learn, and measure what was learned with one and the same function."""
    torch.set_num_threads(plan.threads)
    tokenizer = ChatTokenizer.load(Path(plan.base))
    train, validation = (
        lessons_of([_example(*row) for row in rows], tokenizer, "", 1024)[0]
        for rows in (plan.train, plan.validation)
    )
    watch = _Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        if side == "chatapp":
            config = make_config(_settings(plan))
            told = Tuning(Path(plan.base), Path(folder) / "run", None, [watch], kept=False)
            model = tune(config, train, [], told)
        else:
            model = _plain_trl(plan, Path(folder), watch, lean=side == "trl-lean")
    seconds = watch.ended - watch.began
    read = plan.epochs * sum(len(one["input_ids"]) for one in train)
    costs = losses(model, validation)
    return Figures(
        rate=round(read / seconds, 1),
        validation_loss=round(sum(cost for cost, _ in costs) / sum(n for _, n in costs), 4),
        seconds=round(seconds, 1),
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _settings(plan: Plan) -> dict[str, object]:
    return {
        "task": "chat",
        "name": "benchmark",
        "base": plan.base,
        "rank": plan.rank,
        "alpha": 2 * plan.rank,
        "dropout": 0.0,
        "epochs": plan.epochs,
        "learning_rate": plan.learning_rate,
        "schedule": "cosine",
        "warmup": 0.1,
        "batch_size": plan.batch_size,
        "seed": plan.seed,
    }


def _plain_trl(plan: Plan, folder: Path, watch: _Stopwatch, *, lean: bool) -> torch.nn.Module:
    """As TRL's own guide does it: prompts and completions, everything else left to it."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    rows = [
        {
            "prompt": [{"role": "user", "content": question}],
            "completion": [{"role": "assistant", "content": answer}],
        }
        for question, answer in plan.train
    ]
    own: dict[str, Any] = {"bf16": False, "gradient_checkpointing": False} if lean else {}
    trainer = SFTTrainer(
        model=plan.base,
        args=SFTConfig(
            output_dir=str(folder),
            num_train_epochs=plan.epochs,
            per_device_train_batch_size=plan.batch_size,
            learning_rate=plan.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0.1,
            seed=plan.seed,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            disable_tqdm=True,
            **own,
        ),
        train_dataset=Dataset.from_list(rows),
        peft_config=LoraConfig(
            r=plan.rank,
            lora_alpha=2 * plan.rank,
            target_modules=list(TARGETS),
            task_type="CAUSAL_LM",
        ),
        callbacks=[watch],
    )
    trainer.train()
    model: torch.nn.Module = trainer.model
    return model


def _example(question: str, answer: str) -> Example:
    from benchmarks.shop_questions import asked

    return asked(question, answer)


def main(side: str, plan: str) -> None:
    """Play one side."""
    given = json.loads(Path(plan).read_text(encoding="utf-8"))
    print(json.dumps(asdict(play(side, Plan(**given)))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
