"""The data doctor: checks every row before anything is trained, and applies what cures it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import InvalidRequest
from chatapp.knowledge.languages import language_of
from chatapp.training.data.advice import advice_on
from chatapp.training.data.chat_checks import check_length, check_turns
from chatapp.training.data.content_checks import check_languages, check_personal, row_languages
from chatapp.training.data.formats import part_columns
from chatapp.training.data.label_checks import (
    check_balance,
    check_labels,
    check_spelling,
    merge_of,
)
from chatapp.training.data.measuring import Measure, histogram
from chatapp.training.data.problems import Check, Context, Cure, Problem, fix_id
from chatapp.training.data.sameness_checks import (
    check_contradictions,
    check_duplicates,
    check_frozen,
)
from chatapp.training.data.task_view import as_task
from chatapp.training_records import DataMapping, Diagnosis, Example, Finding, Task

Counting = ChatTokenizer | Callable[[str], int]
"""How tokens are counted: exactly, with the tokenizer of the base, or about, by a function."""

_COMMON: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_frozen, ("in_evaluation",)),
    (check_duplicates, ("duplicate", "near_duplicate")),
    (check_contradictions, ("contradiction",)),
    (
        check_personal,
        ("personal_email", "personal_iban", "personal_card", "personal_ip", "personal_phone"),
    ),
    (check_languages, ("mixed_languages",)),
)
_LENGTH: tuple[Check, tuple[str, ...]] = (check_length, ("template", "all_masked", "too_long"))
_CHECKS: Mapping[Task, tuple[tuple[Check, tuple[str, ...]], ...]] = {
    "chat": ((check_turns, ("empty", "wrong_order", "unbalanced")), _LENGTH, *_COMMON),
    "classify": (
        (
            check_labels,
            ("empty", "no_label", "long_label", "too_many_labels", "one_label"),
        ),
        _LENGTH,
        *_COMMON,
        (check_spelling, ("label_variant", "label_typo")),
        (check_balance, ("rare_label", "imbalance")),
    ),
}
"""The checks of each task in their order, and the kinds of problems that each can find. The first
ones find errors; the later ones look only at rows without any."""
_WITH_ERRORS = 3


def examine(
    examples: Sequence[Example],
    mapped_findings: Sequence[Finding],
    task: Task,
    count_tokens: Counting,
    max_length: int,
    frozen: Sequence[str] = (),
    *,
    system_prompt: str = "",
    mapping: DataMapping | None = None,
    unread: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Diagnosis:
    """Check every row.

    Args:
        examples: as ``to_examples`` made them, with fixes applied.
        mapped_findings: what ``to_examples`` said; shown first.
        task: what is to be learned from them.
        count_tokens: the base's tokenizer; or a function, which is less exact.
        max_length: of an example, in tokens.
        frozen: texts of evaluation sets, which must not be learned.
        system_prompt: stands above conversations without one.
        mapping: so that places name the file's columns.
        unread: rows that could not become an example.
        progress: told the share that is done.
    """
    viewed = [as_task(example, task) for example in examples]
    tell = progress or _silent
    checks = _CHECKS[task]
    context = Context(
        task=task,
        measure=Measure(task, count_tokens, max_length, system_prompt),
        frozen=frozen,
        progress=_silent,
    )
    columns = part_columns(mapping, task) if mapping else {}
    findings: list[Finding] = list(mapped_findings)
    positions: Sequence[int] = range(len(viewed))
    for number, (check, _kinds) in enumerate(checks):
        stepped = replace(context, progress=_part_of(tell, number, len(checks)))
        problems = check(viewed, positions, stepped)
        findings += [problem.finding(viewed, columns) for problem in problems]
        positions = _without_errors(positions, problems)
    lengths = [context.measure.length(viewed[at]).tokens for at in positions]
    labels = Counter(viewed[at].label or "" for at in positions) if task == "classify" else {}
    languages = _shares(row_languages(viewed, positions, context))
    tell(1.0)
    diagnosis = Diagnosis(
        task=task,
        ready=len(positions),
        set_aside=len(viewed) - len(positions) + unread,
        findings=tuple(findings),
        lengths=histogram(lengths),
        labels=dict(Counter(labels).most_common()),
        languages=languages,
    )
    return replace(diagnosis, advice=advice_on(diagnosis, max_length, lengths))


def ready_examples(
    examples: Sequence[Example],
    task: Task,
    count_tokens: Counting,
    max_length: int,
    frozen: Sequence[str] = (),
    *,
    system_prompt: str = "",
) -> list[Example]:
    """The rows without an error, as the task sees them: what a run learns from.

    Args:
        examples: with fixes applied; the other arguments are those of ``examine``.
    """
    viewed = [as_task(example, task) for example in examples]
    context = Context(
        task=task,
        measure=Measure(task, count_tokens, max_length, system_prompt),
        frozen=frozen,
        progress=_silent,
    )
    positions: Sequence[int] = range(len(viewed))
    for check, _kinds in _CHECKS[task][:_WITH_ERRORS]:
        positions = _without_errors(positions, check(viewed, positions, context))
    return [viewed[at] for at in positions]


def learnable(
    examples: Sequence[Example],
    fix_ids: Sequence[str],
    task: Task,
    count_tokens: Counting,
    max_length: int,
    frozen: Sequence[str] = (),
    *,
    system_prompt: str = "",
) -> list[Example]:
    """``ready_examples`` of what ``apply_fixes`` leaves.

    Raises:
        InvalidRequest: an id that no finding has.
    """
    fixed = apply_fixes(
        examples, fix_ids, task, count_tokens, max_length, frozen, system_prompt=system_prompt
    )
    return ready_examples(
        fixed, task, count_tokens, max_length, frozen, system_prompt=system_prompt
    )


def languages_of(examples: Sequence[Example]) -> dict[str, float]:
    """The share of each language among the examples, most first."""
    return _shares(dict(enumerate(language_of(one.question[:300]) for one in examples)))


def apply_fixes(
    examples: Sequence[Example],
    fix_ids: Sequence[str],
    task: Task,
    count_tokens: Counting,
    max_length: int,
    frozen: Sequence[str] = (),
    *,
    system_prompt: str = "",
) -> list[Example]:
    """Apply fixes one after the other, each to what the earlier ones left.

    The same ids give the same rows, so a fix is undone by leaving its id out. One that has nothing
    left to mend, or that only the other task has, changes nothing.

    Raises:
        InvalidRequest: an id that no finding has.
    """
    viewed = [as_task(example, task) for example in examples]
    context = Context(
        task=task,
        measure=Measure(task, count_tokens, max_length, system_prompt),
        frozen=frozen,
        progress=_silent,
    )
    for one in fix_ids:
        cure = _cure(one, viewed, context)
        if cure is not None:
            viewed = cure.change(viewed)
    return viewed


def _cure(one: str, examples: Sequence[Example], context: Context) -> Cure | None:
    """What an id stands for, found by the one check that knows it; None if nothing is left."""
    kind, _, rest = one.partition(".")
    how, _, detail = rest.partition(".")
    if how == "merge_label" and (cure := merge_of(detail)):
        return cure
    if not how or all(kind not in kinds for checks in _CHECKS.values() for _, kinds in checks):
        raise InvalidRequest(f"There is no fix {one!r}. Choose one of those that findings offer.")
    positions: Sequence[int] = range(len(examples))
    for number, (check, kinds) in enumerate(_CHECKS[context.task]):
        if kind in kinds:
            problems = check(examples, positions, context)
            cures = [(problem.kind, cure) for problem in problems for cure in problem.cures]
            return next((cure for found, cure in cures if fix_id(found, cure) == one), None)
        if number < _WITH_ERRORS:
            positions = _without_errors(positions, check(examples, positions, context))
    return None


def _silent(_share: float) -> None:
    """For those who do not want to know how far it is."""


def _part_of(tell: Callable[[float], None], number: int, count: int) -> Callable[[float], None]:
    return lambda share: tell((number + share) / count)


def _without_errors(positions: Sequence[int], problems: Sequence[Problem]) -> Sequence[int]:
    wrong = {at for problem in problems if problem.severity == "error" for at in problem.at}
    return [at for at in positions if at not in wrong] if wrong else positions


def _shares(languages: Mapping[int, str]) -> dict[str, float]:
    counts = Counter(language for language in languages.values() if language)
    return {language: count / counts.total() for language, count in counts.most_common()}
