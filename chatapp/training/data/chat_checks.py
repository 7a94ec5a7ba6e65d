"""Checks of examples that are to be answered: are they whole, and what of them is learned?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatapp.errors import ModelError
from chatapp.records import ChatMessage
from chatapp.training.data.fitting import fitted
from chatapp.training.data.limits import shortened
from chatapp.training.data.places import be, has, rows
from chatapp.training.data.problems import Context, Problem, drop, mend
from chatapp.training_records import Example


def check_turns(
    examples: Sequence[Example], positions: Sequence[int], _context: Context
) -> list[Problem]:
    """Is nothing empty, and do the turns follow each other as in a conversation?"""
    empty: dict[int, str] = {}
    wrong: dict[int, str] = {}
    unanswered: dict[int, str] = {}
    for at in positions:
        example = examples[at]
        if not example.messages:
            if not example.text:
                empty[at] = ""
            continue
        said = [turn for turn in example.messages if turn.role != "system"]
        order = " → ".join(turn.role for turn in example.messages[:8])
        if not any(turn.role == "assistant" for turn in said):
            unanswered[at] = order or "no turns"
        elif blank := [turn.role for turn in said if not turn.content]:
            empty[at] = f"nothing said by the {blank[0]}"
        elif not _is_orderly(example.messages):
            wrong[at] = order
        elif said[-1].role != "assistant":
            unanswered[at] = order
    return [
        *_problem(
            "empty",
            empty,
            f"{rows(len(empty))} {has(len(empty))} an empty question or answer, so there is "
            "nothing to learn. Fill them in or drop them.",
        ),
        *_problem(
            "wrong_order",
            wrong,
            f"In {rows(len(wrong))} the turns do not alternate between user and assistant. Correct "
            "them, let turns by the same speaker be joined, or drop the rows.",
            "Join and reorder",
        ),
        *_problem(
            "unbalanced",
            unanswered,
            f"{rows(len(unanswered))} {be(len(unanswered))} without an answer at the end. Add it, "
            "cut what stands after the last answer, or drop the rows.",
            "Cut after the last answer",
        ),
    ]


def _problem(kind: str, found: dict[int, str], sentence: str, repair: str = "") -> list[Problem]:
    if not found:
        return []
    at = sorted(found)
    trims = (mend("trim", at, f"{repair} in {rows(len(at))}", _in_order),) if repair else ()
    values = {position: value for position, value in found.items() if value}
    problem = Problem(
        kind,
        "error",
        sentence,
        at,
        values=values,
        cures=(*trims, drop(at)),
    )
    return [problem]


def _is_orderly(messages: Sequence[ChatMessage]) -> bool:
    roles = [turn.role for turn in messages]
    said = roles[1:] if roles[0] == "system" else roles
    return bool(said) and all(role == ("user", "assistant")[at % 2] for at, role in enumerate(said))


def _in_order(example: Example) -> Example | None:
    """Turns by the same speaker are joined; what stands before the first question and after the
    last answer goes."""
    turns: list[ChatMessage] = []
    for turn in example.messages:
        if turn.role == "system":
            if not turns:
                turns.append(turn)
        elif turns and turns[-1].role == turn.role:
            joined = f"{turns[-1].content}\n{turn.content}".strip()
            turns[-1] = ChatMessage(turn.role, joined)
        elif turn.role == "user" or any(one.role == "user" for one in turns):
            turns.append(turn)
    while turns and turns[-1].role != "assistant":
        turns.pop()
    return replace(example, messages=tuple(turns)) if turns else None


def check_length(
    examples: Sequence[Example], positions: Sequence[int], context: Context
) -> list[Problem]:
    """Does each example fit, and is something of it left to learn?"""
    measure = context.measure
    refused: dict[int, str] = {}
    masked: dict[int, str] = {}
    long: dict[int, str] = {}
    cut = total = 0
    for number, at in enumerate(positions):
        try:
            length = measure.length(examples[at])
        except ModelError as error:
            refused[at] = shortened(error.sentence)
            continue
        total += length.tokens
        over = length.tokens - measure.max_length
        if length.kept == 0:
            masked[at] = f"{length.tokens:,} tokens"
        elif over > 0:
            long[at] = f"{length.tokens:,} tokens"
            cut += over
        if number % 500 == 0:
            context.progress(number / len(positions))
    return [
        *_refused(refused),
        *_masked(masked, context),
        *_long(long, cut, total, context),
    ]


def _refused(found: dict[int, str]) -> list[Problem]:
    if not found:
        return []
    sentence = (
        f"{rows(len(found))} {be(len(found))} rejected by the model's chat template, so it could "
        "never see them. Correct or drop them."
    )
    at = sorted(found)
    return [
        Problem(
            "template",
            "error",
            sentence,
            at,
            values=found,
            cures=(drop(at),),
        )
    ]


def _masked(found: dict[int, str], context: Context) -> list[Problem]:
    if not found:
        return []
    limit = context.measure.max_length
    sentence = (
        f"In {rows(len(found))} nothing of the answer is left within {limit:,} tokens, so nothing "
        "would be learned. Shorten the question, allow longer examples, or drop the rows."
    )
    at = sorted(found)
    trim = mend("trim", at, f"Shorten the question in {rows(len(at))}", _fitting(context))
    return [
        Problem(
            "all_masked",
            "error",
            sentence,
            at,
            values=found,
            cures=(trim, drop(at)),
        )
    ]


def _long(found: dict[int, str], cut: int, total: int, context: Context) -> list[Problem]:
    if not found:
        return []
    limit = context.measure.max_length
    sentence = (
        f"{rows(len(found))} {be(len(found))} longer than {limit:,} tokens: {cut:,} tokens "
        f"({cut / total:.1%} of the file) would be cut off at their ends. Allow longer examples, "
        "shorten what stands before the answer, or drop the rows."
    )
    at = sorted(found)
    what = "question" if context.task == "chat" else "text"
    trim = mend("trim", at, f"Shorten the {what} in {rows(len(at))}", _fitting(context))
    return [
        Problem(
            "too_long",
            "warning",
            sentence,
            at,
            values=found,
            cures=(trim, drop(at)),
        )
    ]


def _fitting(context: Context) -> Callable[[Example], Example | None]:
    return lambda example: fitted(example, context.measure)
