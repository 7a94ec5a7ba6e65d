"""Whether a model still knows everyday things: it must find the right answer of four likeliest.

Answers are weighed by their likelihood and not by what is written, since a small model's own words
change with every breeze. Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedModel

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage
from chatapp.training.chat.everyday import EVERYDAY
from chatapp.training.chat.lessons import Lesson, lessons_of
from chatapp.training.chat.writing import losses
from chatapp.training_records import Example

ALLOWED_DROP = 0.1
"""Share of the questions that may be lost: four of forty."""


def general_ability(model: PreTrainedModel, tokenizer: ChatTokenizer) -> float:
    """The share of ``EVERYDAY`` whose right answer is likelier, by token, than each wrong one."""
    length = model.config.get_text_config().max_position_embeddings
    lessons, _ = lessons_of(_examples(), tokenizer, "", length)
    costs = [cost / max(1, count) for cost, count in losses(model, _answers_only(lessons))]
    choices = len(EVERYDAY[0]) - 1
    rows = [costs[at : at + choices] for at in range(0, len(costs), choices)]
    return sum(row[0] < min(row[1:]) for row in rows) / len(rows)


def _examples() -> Sequence[Example]:
    return [
        Example(messages=(ChatMessage("user", question), ChatMessage("assistant", answer)))
        for question, *answers in EVERYDAY
        for answer in answers
    ]


def _answers_only(lessons: Sequence[Lesson]) -> Sequence[Lesson]:
    """The end of a turn says nothing about which answer is right."""
    shortened: list[Lesson] = []
    for one in lessons:
        last = max(at for at, label in enumerate(one["labels"]) if label >= 0)
        shortened.append({"input_ids": one["input_ids"][:last], "labels": one["labels"][:last]})
    return shortened
