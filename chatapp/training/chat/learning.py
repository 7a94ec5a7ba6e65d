"""One run of the chat task, from its folder and back into it. Imports torch."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import TrainerCallback

from chatapp.engine.models.weights import weights_hash
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.training.chat.lessons import Lesson, lessons_of
from chatapp.training.chat.rehearsal import rehearsed
from chatapp.training.chat.report import Exam, examined
from chatapp.training.chat.tuning import Tuning, check_method, tune
from chatapp.training.chat.writing import answers
from chatapp.training.config import RunConfig
from chatapp.training.data.rendering import conversation_of
from chatapp.training.run.callback import callback
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training.storing import save_adapter
from chatapp.training_records import ChatReport, Example

_SAMPLES = 4
_NAMED = 5
_SAMPLE_TOKENS = 60


def train(
    folder: RunFolder, config: RunConfig, log: RunLog, *, report: bool = True
) -> ChatReport | None:
    """Learn, save the adapter, and measure what was saved.

    Args:
        config: whose ``base`` is the folder of the model.
        report: False in a trial, which is over once something is saved.

    Returns:
        The report; None in a trial, and in the processes of further GPUs, which only learn.

    Raises:
        TrainingError: the settings cannot work, or the loss ran away.
        DatasetError: there is nothing to learn.
        ModelError: the base cannot be loaded.
        RunDiscarded: somebody wants the run gone.
    """
    check_method(config)
    base = Path(config.base)
    log.phase("Preparing the data")
    tokenizer = ChatTokenizer.load(base)
    examples, held_out = folder.examples("train"), folder.examples("validation")
    lessons, left_out = _encoded(examples, tokenizer, config)
    validation, _ = _encoded(held_out, tokenizer, config)
    if left_out and report:
        log.notice(
            f"{len(left_out):,} of {len(examples):,} examples have no answer within "
            f"{config.max_length:,} tokens and were left out: {_places(left_out)}."
        )
    if config.method == "dora" and report:
        log.notice("OpenVINO cannot serve DoRA: this adapter needs the transformers engine.")
    listeners: list[TrainerCallback] = [callback(log)]
    if report and held_out:
        listeners.append(_Samples(log, tokenizer, config, held_out))
    more: list[Lesson] = []
    if report and config.rehearsal:
        log.phase("Asking the base model what it shall not forget")
        more, _ = _encoded(rehearsed(folder, config, tokenizer, len(lessons)), tokenizer, config)
    log.phase("Loading the base model")
    model = tune(
        config,
        [*lessons, *more],
        validation,
        Tuning(base, folder.checkpoints, log.checkpoint, listeners, kept=report),
    )
    if not _is_first():
        return None
    log.phase("Saving the adapter")
    _save(model, config, folder, base)
    if not report:
        return None
    del model
    gc.collect()
    return _measured(folder, config, log, base, examples)


def _is_first() -> bool:
    distributed = torch.distributed
    return not (distributed.is_available() and distributed.is_initialized()) or (
        distributed.get_rank() == 0
    )


def _measured(
    folder: RunFolder, config: RunConfig, log: RunLog, base: Path, examples: Sequence[Example]
) -> ChatReport:
    test = folder.examples("test") or folder.examples("validation") or list(examples)
    exam = Exam(
        base=base,
        adapter=folder.adapter,
        test=test,
        taught=examples,
        corrections=[one for one in examples if one.origin == "correction"],
        rows={
            "train": len(examples),
            "validation": len(folder.examples("validation")),
            "test": len(test),
        },
        system_prompt=config.system_prompt,
        max_length=config.max_length,
    )
    found = examined(exam, log.phase)
    folder.write_report(found)
    return found


def _encoded(
    examples: Sequence[Example], tokenizer: ChatTokenizer, config: RunConfig
) -> tuple[list[Lesson], list[Example]]:
    return lessons_of(examples, tokenizer, config.system_prompt, config.max_length)


def _places(examples: Sequence[Example]) -> str:
    """Where the first of them stand."""
    named = [f"row {one.row:,} of {one.file}" for one in examples[:_NAMED] if one.file]
    named = named or [f"“{one.question[:60]}”" for one in examples[:_NAMED]]
    more = len(examples) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")


def _save(model: PeftModel, config: RunConfig, folder: RunFolder, base: Path) -> None:
    """Whole or not at all; with the base's name and fingerprint beside it."""
    draft = folder.path / "adapter.draft"
    shutil.rmtree(draft, ignore_errors=True)
    save_adapter(model, config, draft, folder.checkpoints.parent)
    named = {"model": _name(base), "hash": weights_hash(base)}
    (draft / "base.json").write_text(json.dumps(named), encoding="utf-8")
    shutil.rmtree(folder.adapter, ignore_errors=True)
    draft.replace(folder.adapter)


def _name(base: Path) -> str:
    """What people call the model: prepared ones lie in ``NAME-fingerprint/dense``, downloaded ones
    in ``ORG--NAME/files``."""
    named = base.parent.name if base.name in ("dense", "files") else base.name
    if base.name == "dense":
        named = named.rpartition("-")[0] or named
    return named.replace("--", "/")


class _Samples(TrainerCallback):  # type: ignore[misc]
    """Asks the same few questions of the validation part each time it is measured."""

    def __init__(
        self,
        log: RunLog,
        tokenizer: ChatTokenizer,
        config: RunConfig,
        examples: Sequence[Example],
    ) -> None:
        self._log = log
        self._tokenizer = tokenizer
        asked = [one for one in examples if one.question != one.answer]
        self._examples = asked[:: max(1, len(asked) // _SAMPLES)][:_SAMPLES]
        self._prompts = [
            tokenizer.encode_chat(conversation_of(one, config.system_prompt)[:-1])[
                -config.max_length :
            ]
            for one in self._examples
        ]

    def on_evaluate(
        self,
        _args: object,
        state: object,
        _control: object,
        model: object = None,
        **_: object,
    ) -> None:
        if not self._prompts or not state.is_world_process_zero:  # type: ignore[attr-defined]
            return
        said = answers(model, self._tokenizer, self._prompts, _SAMPLE_TOKENS)
        for example, answer in zip(self._examples, said, strict=True):
            self._log.sample(
                state.global_step,  # type: ignore[attr-defined]
                example.question,
                answer,
                example.answer,
            )
