"""More examples out of the ones there are: the same questions in other words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from random import Random

from chatapp.knowledge.normalising import normalised
from chatapp.records import ChatMessage
from chatapp.training.data.likeness import alike_to
from chatapp.training.data.paraphrases import paraphrased
from chatapp.training.data.task_view import asked_text
from chatapp.training_records import Example


def augment(
    examples: Sequence[Example], seed: int, apart: Sequence[Example] = (), *, typos: bool = False
) -> list[Example]:
    """A rephrased copy of each example that the rules can rephrase; the originals are not in it.

    Only the last question, or the text to be sorted, is rephrased: answers, labels and earlier
    turns stay. A copy that asks the same as another example is left out. The same seed gives the
    same copies, whatever the order of the examples.

    Args:
        examples: of the training part.
        seed: decides the words.
        apart: examples of the other parts; no copy asks nearly the same as one of those.
        typos: whether letters may be misplaced.
    """
    known = {normalised(example.question) for example in examples}
    copies: list[Example] = []
    for example, copy in _pairs(examples, seed, typos=typos):
        asked = normalised(copy)
        if asked not in known:
            known.add(asked)
            copies.append(_asking(example, copy))
    if not apart:
        return copies
    near = set(alike_to([asked_text(copy) for copy in copies], [asked_text(one) for one in apart]))
    return [copy for at, copy in enumerate(copies) if at not in near]


def augmented_pairs(examples: Sequence[Example], seed: int, count: int) -> list[tuple[str, str]]:
    """The first questions that can be rephrased, each beside its copy, to look at."""
    pairs: list[tuple[str, str]] = []
    for example, copy in _pairs(examples, seed, typos=False):
        pairs.append((example.question, copy))
        if len(pairs) == count:
            break
    return pairs


def _pairs(examples: Sequence[Example], seed: int, *, typos: bool) -> Iterator[tuple[Example, str]]:
    for example in examples:
        if not example.messages and example.label is None:
            continue  # plain text is no question
        text = example.question
        drawn = blake2b(f"{seed}\n{text}".encode("utf-8", "replace"), digest_size=8).digest()
        random = Random(int.from_bytes(drawn))  # noqa: S311  # no secret
        copy = paraphrased(text, random, typos=typos)
        if copy is not None:
            yield example, copy


def _asking(example: Example, question: str) -> Example:
    if not example.messages:
        return replace(example, text=question)
    turns = list(example.messages)
    at = max(number for number, turn in enumerate(turns) if turn.role == "user")
    turns[at] = ChatMessage("user", question)
    return replace(example, messages=tuple(turns))
