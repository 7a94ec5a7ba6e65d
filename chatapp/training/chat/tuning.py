"""The fine-tune itself, by TRL. Importing this module imports torch and TRL.

What makes it quicker than the trainer's own defaults: what rows have in common is computed once and
nothing is padded, or else rows of about one length share a batch; only tokens that are learned are
turned into words; and no activation is computed twice unless memory asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel, prepare_model_for_kbit_training
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    EarlyStoppingCallback,
    PreTrainedModel,
    TrainerCallback,
    set_seed,
)
from trl import SFTConfig

from chatapp.errors import ModelError, TrainingError
from chatapp.training.arguments import precision_of, trainer_arguments
from chatapp.training.chat.batching import Batches
from chatapp.training.chat.lessons import Lesson, packed
from chatapp.training.chat.trainer import AnswerTrainer
from chatapp.training.config import RunConfig
from chatapp.training.storing import with_adapter

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""What the engines serve: every projection of a llama-like model."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What one fine-tune is told beside the run's settings.

    Attributes:
        base: the model's folder.
        folder: for checkpoints.
        resume: the checkpoint to go on from.
        listeners: hear how far it is.
        kept: whether the best state is looked for; not in a trial.
    """

    base: Path
    folder: Path
    resume: Path | None
    listeners: Sequence[TrainerCallback]
    kept: bool = True


def check_method(config: RunConfig) -> None:
    """
    Raises:
        TrainingError: no engine could use what would be learned, or this machine cannot learn it
            in that way; with what to do instead.
    """
    if config.method in ("prefix", "prompt"):
        raise TrainingError(
            f"{config.method.capitalize()} tuning cannot be put live: OpenVINO and vLLM serve LoRA "
            "only, and continuous batching would silently answer with the base model. Choose "
            "lora, or another method of its family."
        )
    if config.precision == "float16" and not torch.cuda.is_available():
        raise TrainingError(
            "float16 needs a GPU, and this machine has none. Set precision to auto, which takes "
            "what suits the machine."
        )
    if config.tracking != "none" and find_spec(config.tracking) is None:
        raise TrainingError(
            f"The run is to be tracked with {config.tracking}, which is not installed. Install it "
            f"with: pip install {config.tracking}. Or set tracking to none."
        )


def load_base(folder: Path, config: RunConfig) -> PreTrainedModel:
    """The model to learn: in 4 bits for QLoRA, else in the precision it is trained in.

    Raises:
        ModelError: it cannot be loaded.
    """
    gpu = torch.cuda.is_available()
    own = int(os.environ.get("LOCAL_RANK", "0"))  # of several GPUs, that of this process
    options: dict[str, Any] = {"device_map": {"": own if gpu else "cpu"}}
    if config.method == "qlora":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="sdpa",
            dtype=torch.bfloat16 if precision_of(config) == "bfloat16" else torch.float32,
            **options,
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The base model in {folder} cannot be loaded: {error}") from error
    if config.method == "qlora":
        model = prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=config.gradient_checkpointing
        )
    return model


def tune(
    config: RunConfig, train: Sequence[Lesson], validation: Sequence[Lesson], tuning: Tuning
) -> PeftModel:
    """Learn; what comes back is the best state on the validation part.

    Raises:
        RunDiscarded, TrainingError: by the listeners.
    """
    rows = packed(train, config.max_length) if config.packing else [[one] for one in train]
    steps = config.steps_for(len(rows))
    tokenizer = AutoTokenizer.from_pretrained(tuning.base, local_files_only=True)
    set_seed(config.seed)  # what LoRA begins with is drawn
    base = load_base(tuning.base, config)
    model = with_adapter(
        base, config, _targets(base), steps, tuning.folder.parent, task_type="CAUSAL_LM"
    )
    width = base.config.get_text_config().hidden_size
    batches = Batches(width, may_share=not torch.cuda.is_available())
    some = train[:: max(1, len(train) // config.batch_size)][: config.batch_size]
    by_length = not config.packing and batches.pads(some)
    measured = bool(validation) and tuning.kept
    callbacks = list(tuning.listeners)
    if config.method == "adalora":
        callbacks.append(_Allocation())
    if measured and config.early_stopping:
        callbacks.append(EarlyStoppingCallback(config.early_stopping))
    trainer = AnswerTrainer(
        model=model,
        args=_arguments(
            config,
            tuning,
            steps,
            looks=bool(validation),
            by_length=by_length,
        ),
        train_dataset=_dataset(rows),
        eval_dataset=_dataset([[one] for one in validation]) if validation else None,
        data_collator=None if config.packing else batches,
        processing_class=tokenizer,
        callbacks=callbacks,
        smoothing=config.label_smoothing,
    )
    trainer.train(resume_from_checkpoint=str(tuning.resume) if tuning.resume else None)
    learned: PeftModel = trainer.accelerator.unwrap_model(trainer.model)
    return learned


class _Allocation(TrainerCallback):  # type: ignore[misc]
    """AdaLoRA hands its ranks out anew after each step, while the gradients are still there."""

    def on_optimizer_step(
        self,
        _args: object,
        state: Any,
        _control: object,
        model: Any = None,
        **_: object,
    ) -> None:
        model.base_model.update_and_allocate(state.global_step + 1)


def _targets(model: PreTrainedModel) -> Sequence[str] | str:
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    return [one for one in TARGETS if one in names] or "all-linear"


def _dataset(rows: Sequence[Sequence[Lesson]]) -> Dataset:
    """Each row is one or more lessons behind one another, which do not see each other."""
    return Dataset.from_list(
        [
            {
                "input_ids": [token for one in row for token in one["input_ids"]],
                "labels": [label for one in row for label in one["labels"]],
                "seq_lengths": [len(one["input_ids"]) for one in row],
            }
            for row in rows
        ]
    )


def _arguments(
    config: RunConfig, tuning: Tuning, steps: int, *, looks: bool, by_length: bool
) -> SFTConfig:
    return SFTConfig(
        **trainer_arguments(config, tuning.folder, steps, looks=looks, kept=tuning.kept),
        max_length=None if not config.packing else config.max_length,
        packing=config.packing,
        eval_packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        per_device_eval_batch_size=max(8, config.batch_size),
        gradient_checkpointing=config.gradient_checkpointing,
        data_seed=config.seed,
        train_sampling_strategy="group_by_length" if by_length else "random",
    )
