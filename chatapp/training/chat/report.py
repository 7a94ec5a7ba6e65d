"""Did it help? The base, the base with examples in its prompt, and the adapter, side by side.

What is measured is what was saved, loaded again onto a fresh base, as an engine would. Importing
this module imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedModel

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import DatasetError, ModelError
from chatapp.records import ChatMessage
from chatapp.training.chat.everyday import EVERYDAY
from chatapp.training.chat.general import ALLOWED_DROP, general_ability
from chatapp.training.chat.lessons import lessons_of
from chatapp.training.chat.scoring import score_answers
from chatapp.training.chat.shots import Shots
from chatapp.training.chat.writing import answers, losses
from chatapp.training.data.rendering import conversation_of
from chatapp.training_records import (
    AnswerPair,
    AnswerScores,
    ChatReport,
    Example,
    GeneralCheck,
    Split,
)

MOST_ASKED = 200
"""Test questions that are really asked; the loss is measured on all of them."""
_MOST_CORRECTIONS = 50
_LONGEST_ANSWER = 160
_SPARE = 12
"""Tokens that an answer may be longer than the longest expected one."""

Phase = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Exam:
    """What an adapter is asked.

    Attributes:
        base, adapter: their folders.
        test: what is measured.
        taught: what the baseline's examples are chosen from.
        corrections: of those that were taught, each is asked once more.
        rows: of each part of the data, for the record.
        max_length: of an example, in tokens.
    """

    base: Path
    adapter: Path
    test: Sequence[Example]
    taught: Sequence[Example]
    corrections: Sequence[Example]
    rows: Mapping[Split, int]
    system_prompt: str
    max_length: int


def evaluate_adapter(
    base: Path, adapter: Path, examples: Sequence[Example], system_prompt: str = ""
) -> ChatReport:
    """How good an adapter is on examples that come from elsewhere.

    Raises:
        DatasetError: there is none with an answer.
        ModelError: the adapter does not fit the base, or one of them cannot be read.
    """
    exam = Exam(base, adapter, examples, examples, (), {"test": len(examples)}, system_prompt, 0)
    return examined(exam, lambda _: None)


def examined(exam: Exam, phase: Phase) -> ChatReport:
    """Ask the base and the adapter.

    Raises:
        DatasetError: no example has an answer.
        ModelError: the adapter does not fit the base, or one of them cannot be read.
    """
    if not exam.test:
        raise DatasetError("There is no example to measure on. Give a file with some answers.")
    tokenizer = ChatTokenizer.load(exam.base)
    model = _load(exam.base)
    papers = _Papers(exam, tokenizer, model)
    phase("Asking the base model")
    before = papers.written_by(model)
    base_loss = papers.loss_of(model)
    general_before = general_ability(model, tokenizer)
    phase("Asking the base model with examples in its prompt")
    prompted = papers.with_examples(model)
    phase("Asking the adapter")
    adapted = _adapted(model, exam.adapter)
    after = papers.written_by(adapted)
    adapter_loss = papers.loss_of(adapted)
    general_after = general_ability(adapted, tokenizer)
    corrected = papers.corrections_by(adapted)
    scores = [
        papers.scored(name, said, loss)
        for name, said, loss in (
            ("Base model", before, base_loss),
            ("Base model with examples", prompted, None),
            ("Adapter", after, adapter_loss),
        )
    ]
    general = GeneralCheck(
        questions=len(EVERYDAY),
        before=general_before,
        after=general_after,
        allowed_drop=ALLOWED_DROP,
    )
    return ChatReport(
        sentence=_sentence(scores, general, len(papers.asked), len(exam.test)),
        rows={str(part): count for part, count in exam.rows.items()},
        base=scores[0],
        few_shot=scores[1],
        adapter=scores[2],
        answers=papers.pairs(papers.asked, before, after),
        general=general,
        corrections=papers.pairs(exam.corrections[:_MOST_CORRECTIONS], *corrected),
    )


class _Papers:
    """The same questions for everybody."""

    def __init__(self, exam: Exam, tokenizer: ChatTokenizer, model: PreTrainedModel) -> None:
        self._exam = exam
        self._tokenizer = tokenizer
        self._context = int(model.config.get_text_config().max_position_embeddings)
        length = min(exam.max_length or self._context, self._context)
        self._lessons, _ = lessons_of(exam.test, tokenizer, exam.system_prompt, length)
        conversations = [one for one in exam.test if one.question != one.answer]
        step = max(1, math.ceil(len(conversations) / MOST_ASKED))
        self.asked: Sequence[Example] = conversations[::step]
        longest = max((self._length(one.answer) for one in self.asked), default=0)
        self._most = min(_LONGEST_ANSWER, longest + _SPARE)
        self._base_corrections: list[str] = []

    def written_by(self, model: PreTrainedModel) -> list[str]:
        self._base_corrections = self._base_corrections or self._written(
            model, self._exam.corrections[:_MOST_CORRECTIONS]
        )
        return self._written(model, self.asked)

    def with_examples(self, model: PreTrainedModel) -> list[str]:
        """Asked after the nearest examples, as many as fit."""
        shots = Shots(self._exam.taught)
        prompts = []
        for example in self.asked:
            turns, before = self._turns(example), shots.before(example)
            head, rest = (turns[:1], turns[1:]) if turns[0].role == "system" else ([], turns)
            while before and len(self._prompt([*head, *before, *rest])) > self._room:
                before = before[2:]
            prompts.append(self._prompt([*head, *before, *rest]))
        return answers(model, self._tokenizer, prompts, self._most)

    def corrections_by(self, model: PreTrainedModel) -> tuple[list[str], list[str]]:
        """What was said to each correction before, and what is said now."""
        now = self._written(model, self._exam.corrections[:_MOST_CORRECTIONS])
        return self._base_corrections, now

    def loss_of(self, model: PreTrainedModel) -> float:
        """Mean over the tokens of all expected answers, in nats."""
        found = losses(model, self._lessons)
        return sum(cost for cost, _ in found) / max(1, sum(count for _, count in found))

    def scored(self, name: str, said: Sequence[str], loss: float | None) -> AnswerScores:
        scores = score_answers(name, [one.answer for one in self.asked], said)
        if loss is None:
            return scores
        return replace(scores, loss=loss, perplexity=math.exp(min(loss, 700.0)))

    @staticmethod
    def pairs(
        examples: Sequence[Example], before: Sequence[str], after: Sequence[str]
    ) -> tuple[AnswerPair, ...]:
        return tuple(
            AnswerPair(question=one.question, expected=one.answer, before=old, after=new)
            for one, old, new in zip(examples, before, after, strict=True)
        )

    @property
    def _room(self) -> int:
        return self._context - self._most

    def _written(self, model: PreTrainedModel, examples: Sequence[Example]) -> list[str]:
        prompts = [self._prompt(self._turns(one))[-self._room :] for one in examples]
        return answers(model, self._tokenizer, prompts, self._most) if prompts else []

    def _turns(self, example: Example) -> list[ChatMessage]:
        """The conversation without the answer that is expected."""
        return list(conversation_of(example, self._exam.system_prompt)[:-1])

    def _prompt(self, turns: Sequence[ChatMessage]) -> list[int]:
        return self._tokenizer.encode_chat(turns)

    def _length(self, text: str) -> int:
        return len(self._tokenizer.encode(text))


def _load(folder: Path) -> PreTrainedModel:
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="sdpa",
            dtype="auto" if torch.cuda.is_available() else torch.float32,
            device_map={"": torch.cuda.current_device() if torch.cuda.is_available() else "cpu"},
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The base model in {folder} cannot be loaded: {error}") from error
    return model.eval()


def _adapted(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(
            f"{folder} has no adapter_model.safetensors. Other formats are not read, because a "
            "pickle file could run any code."
        )
    try:
        return PeftModel.from_pretrained(model, str(folder)).eval()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"The adapter in {folder} does not fit the base: {reason}") from error


def _sentence(scores: Sequence[AnswerScores], general: GeneralCheck, asked: int, whole: int) -> str:
    base, few_shot, adapter = scores
    on = f"{asked:,} test questions" + (f" (of {whole:,})" if asked < whole else "")
    if not asked:
        said = (
            f"On the test part its perplexity went from {base.perplexity:,.1f} to "
            f"{adapter.perplexity:,.1f}."
        )
        better = (adapter.perplexity or 0) < (base.perplexity or 0)
    else:
        best = max(base.contained, few_shot.contained)
        better = adapter.contained > best or (
            adapter.contained == best and adapter.rouge_l > max(base.rouge_l, few_shot.rouge_l)
        )
        said = (
            f"It answers {adapter.contained:.0%} of {on} rightly; before it was "
            f"{base.contained:.0%}, and {few_shot.contained:.0%} with examples in the prompt."
        )
    verdict = "It helped" if better else "It did not help"
    forgot = (
        ""
        if general.kept
        else f" But it forgot everyday things: {general.after:.0%} of them are right, and "
        f"{general.before:.0%} were."
    )
    return f"{verdict}: {said[0].lower()}{said[1:]}{forgot}"
