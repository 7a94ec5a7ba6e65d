"""Small runs over a tiny BERT and forty short messages."""

from __future__ import annotations

from pathlib import Path

from chatapp.training.config import RunConfig, make_config
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import Example, Split

_ASKED = {
    "refund": "I want my money back for the {}",
    "delivery": "when will the {} arrive at my door",
    "broken": "the {} came damaged and does not work",
}
_THINGS = (
    *("tent", "stove", "boots", "rope", "lamp", "map", "mug", "sled", "jacket", "pack"),
    *("kettle", "knife", "socks", "hat", "gloves", "torch"),
)


def messages(things: slice) -> list[Example]:
    """One for each label and thing; rows count as in a file with a header."""
    return [
        Example(text=asked.format(thing), label=label, file="asked.csv", row=row)
        for row, (thing, (label, asked)) in enumerate(
            ((thing, one) for thing in _THINGS[things] for one in _ASKED.items()), start=2
        )
    ]


def parts() -> dict[Split, list[Example]]:
    """30 rows to learn from, 9 to decide by and 9 to measure on."""
    return {
        "train": messages(slice(0, 10)),
        "validation": messages(slice(10, 13)),
        "test": messages(slice(13, 16)),
    }


def a_run(
    path: Path, base: Path | str, data: dict[Split, list[Example]], **more: object
) -> RunFolder:
    """A run that takes a second."""
    folder = RunFolder(path)
    folder.create(a_config(base, **more), data)
    return folder


def a_config(base: Path | str, **more: object) -> RunConfig:
    """Settings of such a run."""
    values: dict[str, object] = {
        "task": "classify",
        "name": "asked",
        "base": str(base),
        "rank": 4,
        "alpha": 8.0,
        "epochs": 3.0,
        "learning_rate": 5e-3,
        "batch_size": 8,
        "evaluations": 3,
        "max_length": 64,
    }
    return make_config({**values, **more})
