"""The lower floors, as the Teach page needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from chatapp.training.config import Preset, RunConfig
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import (
    Adapter,
    DataMapping,
    Dataset,
    Diagnosis,
    Estimate,
    Format,
    Preview,
    Promotion,
    Run,
    Slot,
    Task,
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a column can be for a format; ``required``: it cannot be left out."""

    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class Base:
    """A model that can learn, by the name that the settings know."""

    name: str


class Teaches(Protocol):
    """Keeps labelled files and runs; ``flows.finetune.FineTune`` is one. Every method blocks."""

    def add_dataset(self, name: str, path: Path) -> Dataset:
        """Take a file in.

        Raises:
            DatasetError: it cannot be read.
        """
        ...

    def add_text(self, name: str, text: str) -> Dataset:
        """Take pasted rows in. Raises as ``add_dataset`` does."""
        ...

    def add_corrections(self) -> Dataset:
        """Take in what the team has approved.

        Raises:
            DatasetError: there is nothing yet.
        """
        ...

    def datasets(self) -> Sequence[Dataset]:
        """All files, newest first."""
        ...

    def dataset(self, dataset_id: str) -> Dataset:
        """One of them.

        Raises:
            NotFound: it is gone.
        """
        ...

    def remove_dataset(self, dataset_id: str) -> None:
        """Put it away."""
        ...

    def restore_dataset(self, dataset_id: str) -> None:
        """Bring it back."""
        ...

    def set_mapping(self, dataset_id: str, mapping: DataMapping) -> Dataset:
        """Read its columns another way."""
        ...

    def examine(self, dataset_id: str, task: Task, base: str = "auto") -> Diagnosis:
        """Check every row."""
        ...

    def fix(self, dataset_id: str, fix_id: str) -> Dataset:
        """Apply a fix."""
        ...

    def unfix(self, dataset_id: str, fix_id: str) -> Dataset:
        """Take a fix back."""
        ...

    def relabel(self, dataset_id: str, row: int, label: str) -> object:
        """Give a row another label, from the next run on."""
        ...

    def preview(self, dataset_id: str, config: RunConfig, count: int = 5) -> Sequence[Preview]:
        """The first examples as the model will see them."""
        ...

    def augmented(self, dataset_id: str, count: int) -> Sequence[tuple[str, str]]:
        """Some examples beside their rephrased copies."""
        ...

    def recommend(self, dataset_id: str, task: Task, preset: Preset) -> RunConfig:
        """The settings that suit a file."""
        ...

    def estimate(self, dataset_id: str, config: RunConfig) -> Estimate:
        """What a run will take, from a timed few steps."""
        ...

    def launch(self, dataset_id: str, config: RunConfig) -> Run:
        """Start it, or queue it behind another."""
        ...

    def runs(self) -> Sequence[Run]:
        """All runs, newest first."""
        ...

    def run(self, run_id: str) -> Run:
        """One of them.

        Raises:
            NotFound: it is gone.
        """
        ...

    def folder(self, run_id: str) -> RunFolder:
        """Its folder."""
        ...

    def stop(self, run_id: str, what: Literal["keep", "discard"]) -> object:
        """Ask it to end soon."""
        ...

    def resume(self, run_id: str) -> object:
        """Go on from its last checkpoint."""
        ...

    def discard(self, run_id: str) -> object:
        """Put it away."""
        ...

    def restore(self, run_id: str) -> object:
        """Bring it back."""
        ...

    def reuse(self, run_id: str) -> RunConfig:
        """Its settings as they were asked for."""
        ...

    def command(self, config: RunConfig, file: str) -> str:
        """What does the same on the command line."""
        ...


class Registry(Protocol):
    """What was learned, and what of it is live; ``flows.adapters.Adapters`` is one."""

    def list(self) -> Sequence[Adapter]:
        """All adapters, newest first."""
        ...

    def get(self, name: str) -> Adapter:
        """One of them.

        Raises:
            NotFound: there is none of that name.
        """
        ...

    def problem(self, slot: Slot) -> str | None:
        """Why what is live in a slot does not answer, in a sentence; None: it does."""
        ...

    def gate(self, name: str) -> tuple[bool, Sequence[str]]:
        """Whether it may go live as it is, and why or why not."""
        ...

    async def promote(self, name: str, reason: str = "") -> Promotion:
        """Make it live.

        Raises:
            InvalidRequest: the gate is shut and no reason was given.
        """
        ...

    async def rollback(self, slot: Slot) -> Promotion:
        """Bring back what was live before."""
        ...

    def history(self, slot: Slot) -> Sequence[Promotion]:
        """What was live in a slot, newest first."""
        ...

    def remove(self, name: str) -> Adapter:
        """Put it away.

        Raises:
            InvalidRequest: it is live.
        """
        ...

    def restore(self, id: str) -> Adapter:  # noqa: A002
        """Bring it back."""
        ...


@dataclass(frozen=True, slots=True)
class TeachRooms:
    """What the page works with.

    Attributes:
        roles: what the columns of a format can be.
        bases: the models that can learn a task.
        recommend_base: by the languages of the rows and how many there are: the base that suits
            labels, and why, in a sentence.
        corrections: how many approved corrections wait to be learned.
        max_bytes: the largest file that is taken in.
    """

    teaching: Teaches
    adapters: Registry
    roles: Callable[[Format], Sequence[Role]]
    bases: Callable[[Task], Sequence[Base]]
    recommend_base: Callable[[Mapping[str, float], int], tuple[str, str]]
    corrections: Callable[[], int]
    max_bytes: int
    has_password: bool
