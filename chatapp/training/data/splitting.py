"""Train, validation and test: drawn by a seed, fair to every label, nothing alike across them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from hashlib import blake2b

from chatapp.errors import DatasetError
from chatapp.training.data.likeness import alike_groups, alike_to
from chatapp.training.data.task_view import as_task, asked_text
from chatapp.training_records import Example, Split, Task

_FEWEST = 3
"""Groups of rows that are needed for three parts."""


def split(
    examples: Sequence[Example],
    validation_share: float,
    test_share: float,
    seed: int,
    task: Task,
    frozen: Sequence[str] = (),
) -> dict[Split, list[Example]]:
    """Part the examples.

    Rows that ask the same stay together, and so do rows that ask nearly the same and have the same
    answer; with different answers they are two facts, however alike their questions look. What is
    nearly the same as a frozen text is in no part. Every label is in the training part; one with
    enough rows is in the others too. Where a row goes depends on the seed and on what it asks,
    hardly on the other rows: a file that grew keeps its parts, as far as the shares allow.

    Raises:
        DatasetError: there are not enough different rows for three parts.
    """
    viewed = [as_task(example, task) for example in examples]
    texts = [asked_text(example) for example in viewed]
    seen = set(alike_to(texts, frozen)) if frozen else set()
    kept = [at for at in range(len(viewed)) if at not in seen]
    groups: dict[int, list[int]] = defaultdict(list)
    answers = [viewed[at].answer for at in kept]
    alike = alike_groups([texts[at] for at in kept], answers)
    for at, group in zip(kept, alike, strict=True):
        groups[group].append(at)
    if len(groups) < _FEWEST:
        raise DatasetError(
            f"There are {len(kept):,} rows that can be learned from, but only {len(groups)} "
            f"really different ones; at least {_FEWEST} are needed to learn from some and measure "
            "on others. Add more rows."
        )
    drawn = sorted(groups.values(), key=lambda group: _draw(seed, texts[group[0]]))
    labels = [viewed[at].label or "" if task == "classify" else "" for at in range(len(viewed))]
    taken = _take(drawn, labels, {"test": test_share, "validation": validation_share})
    parts: dict[Split, list[Example]] = {"train": [], "validation": [], "test": []}
    part_of = {at: part for part, rows in taken.items() for at in rows}
    for at in kept:
        parts[part_of.get(at, "train")].append(viewed[at])
    return parts


def _draw(seed: int, text: str) -> bytes:
    return blake2b(f"{seed}\n{text}".encode("utf-8", "replace"), digest_size=16).digest()


def _take(
    drawn: Sequence[Sequence[int]], labels: Sequence[str], shares: dict[Split, float]
) -> dict[Split, list[int]]:
    """Which rows leave the training part, and where to.

    A group goes where one of its labels is still missed, unless that takes more than is missed of
    any of them or the last group of a label out of the training part.
    """
    rows = Counter(labels[at] for group in drawn for at in group)
    left = Counter(label for group in drawn for label in {labels[at] for at in group})
    taken: dict[Split, list[int]] = {part: [] for part in shares}
    missed = {part: _wanted(rows, left, share) for part, share in shares.items()}
    for group in drawn:
        counts = Counter(labels[at] for at in group)
        if any(left[label] <= 1 for label in counts):
            continue
        for part, needs in missed.items():
            if all(count <= needs[label] for label, count in counts.items()):
                taken[part] += group
                needs.subtract(counts)
                left.subtract(dict.fromkeys(counts, 1))
                break
    return taken


def _wanted(rows: Counter[str], groups: Counter[str], share: float) -> Counter[str]:
    """Rows of each label that a part should have: its share, and one at least where there are
    three groups of it."""
    return Counter(
        {
            label: max(round(count * share), 1 if groups[label] >= _FEWEST else 0)
            for label, count in rows.items()
        }
    )
