"""Checks of examples that are to be sorted: does every row have a label, and are they sound?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, unquote

from chatapp.knowledge.normalising import normalised
from chatapp.training.data.limits import LONGEST_LABEL, MOST_LABELS, shortened
from chatapp.training.data.places import has, rows
from chatapp.training.data.problems import Context, Cure, Problem, drop
from chatapp.training_records import Example

_FEWEST = 3
"""Rows that a label needs to be in every part of a split."""
_IMBALANCED = 10.0
_RARER = 5
"""How much rarer than its neighbour a label is that was mistyped."""
_MOST_TYPOS = 50


def check_labels(
    examples: Sequence[Example], positions: Sequence[int], _context: Context
) -> list[Problem]:
    """Can anything be learned from these labels?"""
    empty = [at for at in positions if not examples[at].text]
    bare = [at for at in positions if examples[at].text and not examples[at].label]
    long = [at for at in positions if len(examples[at].label or "") > LONGEST_LABEL]
    problems: list[Problem] = []
    if empty:
        sentence = f"{rows(len(empty))} {has(len(empty))} no text to sort. Fill it in or drop them."
        problems.append(
            Problem("empty", "error", sentence, empty, part="text", cures=(drop(empty),))
        )
    if bare:
        sentence = f"{rows(len(bare))} {has(len(bare))} no label. Fill it in or drop them."
        problems.append(
            Problem(
                "no_label",
                "error",
                sentence,
                bare,
                part="label",
                values={at: examples[at].text for at in bare},
                cures=(drop(bare),),
            )
        )
    if long:
        sentence = (
            f"{rows(len(long))} {has(len(long))} a label of more than {LONGEST_LABEL} characters, "
            "which is an answer rather than a label. Choose another column as the label, teach it "
            "to answer instead (task chat), or drop them."
        )
        problems.append(
            Problem("long_label", "error", sentence, long, part="label", cures=(drop(long),))
        )
    wrong = {*empty, *bare, *long}
    sound = [at for at in positions if at not in wrong]
    return [*problems, *_number_of_labels(examples, sound)]


def _number_of_labels(examples: Sequence[Example], positions: Sequence[int]) -> list[Problem]:
    labels = {examples[at].label for at in positions}
    if len(labels) > MOST_LABELS:
        sentence = (
            f"There are {len(labels):,} different labels in {rows(len(positions))}, but at most "
            f"{MOST_LABELS:,} can be told apart. This column is no label: choose another one, or "
            "teach it to answer instead (task chat)."
        )
    elif positions and len(labels) == 1:
        only = shortened(next(iter(labels)) or "", 40)
        sentence = (
            f"Every row has the label {only!r}, so there is nothing to tell apart. Add rows with "
            "other labels, or choose another column as the label."
        )
    else:
        return []
    kind = "too_many_labels" if len(labels) > MOST_LABELS else "one_label"
    return [Problem(kind, "error", sentence, list(positions), part="label")]


def check_spelling(
    examples: Sequence[Example], positions: Sequence[int], _context: Context
) -> list[Problem]:
    """Are two labels one, written differently or mistyped?"""
    at_label: dict[str, list[int]] = defaultdict(list)
    for position in positions:
        at_label[examples[position].label or ""].append(position)
    counts = Counter({label: len(found) for label, found in at_label.items()})
    variants = _variants(counts)
    typos = {} if len(counts) > MOST_LABELS else _typos(counts, variants)
    problems = []
    for kind, merges, said in (
        ("label_variant", variants, "differ from another one only in case, spacing or signs"),
        ("label_typo", typos, "look like typing errors, each rare and nearly like a frequent one"),
    ):
        if not merges:
            continue
        at = sorted(one for wrong in merges for one in at_label[wrong])
        shown = ", ".join(
            f"{shortened(wrong, 40)!r} → {shortened(right, 40)!r}"
            for wrong, right in list(merges.items())[:3]
        )
        sentence = (
            f"{len(merges)} labels in {rows(len(at))} {said}: {shown}"
            f"{' and more' if len(merges) > 3 else ''}. Merge those that mean the same."
        )
        cures = [merge(wrong, right, counts[wrong]) for wrong, right in merges.items()]
        problems.append(Problem(kind, "warning", sentence, at, part="label", cures=tuple(cures)))
    return problems


def _variants(counts: Counter[str]) -> dict[str, str]:
    """Labels that are the same but for case, spacing and signs, to the most frequent of them."""
    alike: dict[str, list[str]] = defaultdict(list)
    for label in sorted(counts, key=lambda one: (-counts[one], one)):
        alike[normalised(label).replace(" ", "") or label].append(label)
    return {other: first for first, *others in alike.values() for other in others}


def _typos(counts: Counter[str], variants: Mapping[str, str]) -> dict[str, str]:
    """Rare labels within a slip or two of a frequent one, to that one."""
    from rapidfuzz.distance import OSA

    labels = [label for label in counts if label not in variants]
    found: dict[str, str] = {}
    for label in sorted(labels):
        near: list[tuple[int, int, str]] = []
        for other in labels:
            if counts[other] < _RARER * counts[label] or counts[other] < _FEWEST:
                continue
            slips = 1 if min(len(label), len(other)) < 8 else 2
            distance = OSA.distance(label.casefold(), other.casefold(), score_cutoff=slips)
            if distance <= slips and _is_slip(label, other):
                near.append((distance, -counts[other], other))
        if near and len(found) < _MOST_TYPOS:
            found[label] = min(near)[2]
    return found


def _is_slip(one: str, other: str) -> bool:
    """Two labels with other numbers in them are meant to be different; so are short ones, where a
    letter is much, and Chinese ones, where a character is a word."""
    digits = [[letter for letter in label if letter.isdigit()] for label in (one, other)]
    return digits[0] == digits[1] and min(len(one), len(other)) >= 4 and one.isascii()


def merge(wrong: str, right: str, count: int) -> Cure:
    """Write one label instead of another; its id says all of it, so that it can always be done
    again."""

    def change(examples: Sequence[Example]) -> list[Example]:
        return [
            replace(example, label=right) if example.label == wrong else example
            for example in examples
        ]

    return Cure(
        "merge_label",
        f"Write {shortened(right, 40)!r} for {shortened(wrong, 40)!r} in {rows(count)}",
        count,
        change,
        detail=f"{_quoted(wrong)}.{_quoted(right)}",
        details={"from": wrong, "to": right},
    )


def merge_of(detail: str) -> Cure | None:
    """The merge that ``detail`` of its id tells; None if it tells none."""
    parts = _split(detail)
    return merge(*parts, 0) if parts else None


def _split(detail: str) -> tuple[str, str] | None:
    wrong, dot, right = detail.partition(".")
    return (unquote(wrong), unquote(right)) if dot and wrong and right else None


def check_balance(
    examples: Sequence[Example], positions: Sequence[int], _context: Context
) -> list[Problem]:
    """Has every label enough rows?"""
    counts = Counter(examples[at].label or "" for at in positions)
    problems: list[Problem] = []
    rare = {label for label, count in counts.items() if count < _FEWEST}
    if rare:
        at = [one for one in positions if examples[one].label in rare]
        shown = ", ".join(shortened(label, 40) for label in sorted(rare)[:5])
        sentence = (
            f"{len(rare)} of {len(counts)} labels have fewer than {_FEWEST} rows ({shown}"
            f"{' and more' if len(rare) > 5 else ''}), too few to learn from some and measure on "
            "others. Add rows, merge such labels, or drop them."
        )
        label = f"Drop {len(rare)} labels ({rows(len(at))})"
        problems.append(
            Problem("rare_label", "warning", sentence, at, part="label", cures=(drop(at, label),))
        )
    common = {label: count for label, count in counts.items() if label not in rare}
    if len(common) > 1:
        most, least = max(common, key=common.__getitem__), min(common, key=common.__getitem__)
        times = common[most] / common[least]
        if times >= _IMBALANCED:
            at = [one for one in positions if examples[one].label == least]
            sentence = (
                f"The labels are uneven: {shortened(most, 40)!r} has {rows(common[most])}, "
                f"{shortened(least, 40)!r} only {common[least]:,}, {times:.0f} times fewer. Judge "
                "by macro F1 and not by accuracy, and add rows for the rare labels."
            )
            problems.append(Problem("imbalance", "warning", sentence, at, part="label"))
    return problems


def _quoted(label: str) -> str:
    return quote(label, safe="").replace(".", "%2E")
