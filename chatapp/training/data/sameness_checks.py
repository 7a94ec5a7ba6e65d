"""Is an example there twice, contradicted by another one, or kept for measuring?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from chatapp.training.data.likeness import alike_groups, alike_to, compared
from chatapp.training.data.limits import shortened
from chatapp.training.data.places import be, rows
from chatapp.training.data.problems import Context, Problem, drop, keep_first
from chatapp.training.data.task_view import asked_text
from chatapp.training_records import Example


def check_frozen(
    examples: Sequence[Example], positions: Sequence[int], context: Context
) -> list[Problem]:
    """Is it a question that the model will be measured on?"""
    if not context.frozen:
        return []
    at = alike_to([asked_text(examples[one]) for one in positions], context.frozen)
    if not at:
        return []
    found = [positions[one] for one in at]
    sentence = (
        f"{rows(len(found))} {be(len(found))} also in a set that is kept for measuring, or nearly "
        "so. They are never learned, as the measurement would be worth nothing."
    )
    return [
        Problem("in_evaluation", "error", sentence, found, part="question", cures=(drop(found),))
    ]


def check_duplicates(
    examples: Sequence[Example], positions: Sequence[int], context: Context
) -> list[Problem]:
    """Is it there before, word for word or nearly so, with the same answer?"""
    answers = [compared(examples[at].answer) for at in positions]
    asked = [compared(asked_text(examples[at])) for at in positions]
    again: list[int] = []
    near: dict[int, str] = {}
    seen: set[tuple[str, str]] = set()
    texts = [asked_text(examples[at]) for at in positions]
    groups = alike_groups(texts, answers, progress=context.progress)
    said: dict[int, set[str]] = defaultdict(set)
    for at, question, answer, group in zip(positions, asked, answers, groups, strict=True):
        if (question, answer) in seen:
            again.append(at)
        elif answer in said[group]:
            near[at] = examples[positions[group]].question
        seen.add((question, answer))
        said[group].add(answer)
    problems: list[Problem] = []
    if again:
        sentence = (
            f"{rows(len(again))} {be(len(again))} there before, case and punctuation aside. Keep "
            "the first of each, or it counts more than the others."
        )
        problems.append(
            Problem(
                "duplicate",
                "warning",
                sentence,
                again,
                part="question",
                cures=(keep_first(again, f"Keep the first, drop {rows(len(again))}"),),
            )
        )
    if near:
        sentence = (
            f"{rows(len(near))} {be(len(near))} nearly the same as an earlier one with the same "
            "answer. They are never split between learning and measuring; keep the first of each "
            "where there are too many."
        )
        values = {
            at: f"{shortened(examples[at].question, 75)} ≈ {shortened(first, 75)}"
            for at, first in near.items()
        }
        nearly = sorted(near)
        problems.append(
            Problem(
                "near_duplicate",
                "warning",
                sentence,
                nearly,
                part="question",
                values=values,
                cures=(keep_first(nearly, f"Keep the first, drop {rows(len(nearly))}"),),
            )
        )
    return problems


def check_contradictions(
    examples: Sequence[Example], positions: Sequence[int], context: Context
) -> list[Problem]:
    """Does the same question have different answers?"""
    asked: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position in positions:
        example = examples[position]
        if not example.messages and example.label is None:
            continue
        system = example.messages[0] if example.messages else None
        above = system.content if system is not None and system.role == "system" else ""
        asked[compared(asked_text(example)), above].append(position)
    at: list[int] = []
    later: list[int] = []
    for same in asked.values():
        first = compared(examples[same[0]].answer)
        others = [one for one in same if compared(examples[one].answer) != first]
        if others:
            at += same
            later += others
    if not at:
        return []
    at.sort()
    what = "labels" if context.task == "classify" else "answers"
    sentence = (
        f"{rows(len(at))} ask the same as others but have different {what}, so it cannot learn "
        "which is right. Keep the first of each, correct them, or drop them all."
    )
    part = "label" if context.task == "classify" else "answer"
    values = {
        one: f"{shortened(examples[one].question, 75)} → {shortened(examples[one].answer, 75)}"
        for one in at
    }
    return [
        Problem(
            "contradiction",
            "warning",
            sentence,
            at,
            part=part,
            values=values,
            cures=(
                keep_first(sorted(later), f"Keep the first, drop {rows(len(later))}"),
                drop(at, f"Drop all {len(at):,}"),
            ),
        )
    ]
