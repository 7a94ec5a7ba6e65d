"""Labelled data: read, mapped to examples, checked, mended, split, and shown as it is learned."""

from chatapp.training.data.augmenting import augment, augmented_pairs
from chatapp.training.data.cleaned import write_cleaned
from chatapp.training.data.doctor import (
    Counting,
    apply_fixes,
    examine,
    languages_of,
    learnable,
    ready_examples,
)
from chatapp.training.data.formats import NAMES, ROLES, ColumnRole
from chatapp.training.data.guessing import guess
from chatapp.training.data.mapping import Mapped, to_examples
from chatapp.training.data.measuring import estimated_tokens
from chatapp.training.data.personal import find_personal, mask_personal
from chatapp.training.data.previewing import preview
from chatapp.training.data.reading import read_rows
from chatapp.training.data.rendering import encode, render
from chatapp.training.data.splitting import split
from chatapp.training.data.table import Row, Table
from chatapp.training.data.task_view import as_task

__all__ = [
    "NAMES",
    "ROLES",
    "ColumnRole",
    "Counting",
    "Mapped",
    "Row",
    "Table",
    "apply_fixes",
    "as_task",
    "augment",
    "augmented_pairs",
    "encode",
    "estimated_tokens",
    "examine",
    "find_personal",
    "guess",
    "languages_of",
    "learnable",
    "mask_personal",
    "preview",
    "read_rows",
    "ready_examples",
    "render",
    "split",
    "to_examples",
    "write_cleaned",
]
