"""Does an example hold personal data, or is it in another language than the others?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from chatapp.knowledge.languages import language_of
from chatapp.records import ChatMessage
from chatapp.training.data.advice import language_name
from chatapp.training.data.personal import SORTS, Found, Sort, find_personal, mask_personal
from chatapp.training.data.places import be, has, rows
from chatapp.training.data.problems import Context, Cure, Problem, drop, mend
from chatapp.training.data.task_view import all_texts
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
        f"personal_{sort}",
        "warning",
        sentence,
        at,
        values=values,
        cures=(_masking(sort, at, own), drop(at)),
    )


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
        return [Problem("mixed_languages", "note", sentence, at, values=values)]
    sentence = (
        f"{rows(len(at))} {be(len(at))} in another language than the others ({main}): {others}. "
        "Check whether they belong here, or drop them."
    )
    return [Problem("mixed_languages", "warning", sentence, at, values=values, cures=(drop(at),))]


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
