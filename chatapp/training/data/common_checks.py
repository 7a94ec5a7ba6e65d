"""Checks of any example: is it there twice, contradicted, private, foreign, kept for measuring?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from chatapp.knowledge.languages import language_of
from chatapp.records import ChatMessage
from chatapp.training.data.advice import language_name
from chatapp.training.data.likeness import alike_groups, alike_to, compared
from chatapp.training.data.limits import shortened
from chatapp.training.data.personal import SORTS, Found, Sort, find_personal, mask_personal
from chatapp.training.data.places import be, has, rows
from chatapp.training.data.problems import Context, Cure, Problem, drop, keep_first, mend
from chatapp.training.data.task_view import all_texts, asked_text
from chatapp.training_records import Example

_OWN = 3
"""In so many answers the same address or number stands if it is the business's own."""
_STRAY = 0.1
"""Share of rows up to which another language is a stray one."""
_NAMES: dict[Sort, str] = {
    "email": "an e-mail address",
    "iban": "an IBAN",
    "card": "a card number",
    "ip": "an IP address",
    "phone": "a phone number",
}


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
        Problem(kind="in_evaluation", severity="error", sentence=sentence, at=found,
                part="question", cures=(drop(found),))
    ]  # fmt: skip


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
            Problem(kind="duplicate", severity="warning", sentence=sentence, at=again,
                    part="question",
                    cures=(keep_first(again, f"Keep the first, drop {rows(len(again))}"),))
        )  # fmt: skip
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
            Problem(kind="near_duplicate", severity="warning", sentence=sentence, at=nearly,
                    part="question", values=values,
                    cures=(keep_first(nearly, f"Keep the first, drop {rows(len(nearly))}"),))
        )  # fmt: skip
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
        Problem(kind="contradiction", severity="warning", sentence=sentence, at=at, part=part,
                values=values,
                cures=(keep_first(sorted(later), f"Keep the first, drop {rows(len(later))}"),
                       drop(at, f"Drop all {len(at):,}")))
    ]  # fmt: skip


def check_personal(
    examples: Sequence[Example], positions: Sequence[int], context: Context
) -> list[Problem]:
    """Does it hold anybody's e-mail address, phone number and the like?

    What stands in several answers is the business's own and is left alone.
    """
    found: dict[Sort, dict[int, list[Found]]] = {sort: {} for sort in SORTS}
    in_answers: Counter[str] = Counter()
    for number, at in enumerate(positions):
        for text in all_texts(examples[at]):
            for one in find_personal(text):
                found[one.sort].setdefault(at, []).append(one)
        if examples[at].messages:
            in_answers.update({one.value for one in find_personal(examples[at].answer)})
        if number % 500 == 0:
            context.progress(number / len(positions))
    own = frozenset(value for value, count in in_answers.items() if count >= _OWN)
    problems: list[Problem] = []
    for sort, rows_found in found.items():
        values = {
            at: ", ".join(one.value for one in some if one.value not in own)
            for at, some in rows_found.items()
            if any(one.value not in own for one in some)
        }
        if values:
            problems.append(_personal_problem(sort, values, own))
    return problems


def _personal_problem(sort: Sort, values: dict[int, str], own: frozenset[str]) -> Problem:
    at = sorted(values)
    sentence = (
        f"{rows(len(at))} {has(len(at))} {_NAMES[sort]} in the text, which the model could repeat "
        "to anybody. Mask it, unless it is yours and meant to be said."
    )
    return Problem(
        kind=f"personal_{sort}", severity="warning", sentence=sentence, at=at, values=values,
        cures=(_masking(sort, at, own), drop(at)),
    )  # fmt: skip


def _masking(sort: Sort, at: Sequence[int], own: frozenset[str]) -> Cure:
    def masked(example: Example) -> Example:
        turns = tuple(
            ChatMessage(turn.role, mask_personal(turn.content, (sort,), own))
            for turn in example.messages
        )
        return replace(example, messages=turns, text=mask_personal(example.text, (sort,), own))

    return mend("mask", at, f"Mask {_NAMES[sort]} in {rows(len(at))}", masked)


def check_languages(
    examples: Sequence[Example], positions: Sequence[int], context: Context
) -> list[Problem]:
    """Is a row in another language than nearly all others?"""
    of_row = row_languages(examples, positions, context)
    counts = Counter(language for language in of_row.values() if language)
    if len(counts) < 2:
        return []
    most = counts.most_common(1)[0][0]
    share = counts[most] / counts.total()
    main = language_name(most)
    others = ", ".join(
        f"{language_name(name)} ({count:,})" for name, count in counts.most_common()[1:6]
    )
    at = [one for one in positions if of_row[one] and of_row[one] != most]
    values = {one: f"{language_name(of_row[one])}: {examples[one].question}" for one in at}
    if 1 - share > _STRAY:
        sentence = (
            f"The rows are in several languages: {main} ({share:.0%}) and {others}. That is fine "
            "if the base model knows them all."
        )
        return [
            Problem(kind="mixed_languages", severity="note", sentence=sentence, at=at,
                    values=values)
        ]  # fmt: skip
    sentence = (
        f"{rows(len(at))} {be(len(at))} in another language than the others ({main}): {others}. "
        "Check whether they belong here, or drop them."
    )
    return [
        Problem(kind="mixed_languages", severity="warning", sentence=sentence, at=at,
                values=values, cures=(drop(at),))
    ]  # fmt: skip


def row_languages(
    examples: Sequence[Example], positions: Sequence[int], context: Context
) -> dict[int, str]:
    """The language of each row by its position; empty where it cannot be told."""
    known = context.languages
    languages: dict[int, str] = {}
    for number, at in enumerate(positions):
        text = examples[at].question[:300]
        if text not in known:
            known[text] = language_of(text)
        languages[at] = known[text]
        if number % 500 == 0:
            context.progress(number / len(positions))
    return languages
