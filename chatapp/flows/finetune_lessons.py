"""What a dataset teaches: examined, shown as the model will see it, and split into parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import DatasetError, InvalidRequest
from chatapp.flows.finetune_bases import AUTO, Finds
from chatapp.flows.finetune_data import Datasets
from chatapp.training import data
from chatapp.training.config import RunConfig
from chatapp.training.data.doctor import Counting
from chatapp.training.run.presets import preset_values
from chatapp.training_records import Diagnosis, Example, Preview, Split, Task

_SEED = 42
_FEWEST = 10


class Lessons(Datasets):
    """Datasets, and what can be learned from them.

    Args:
        bases: finds the tokenizer of the model that learns.
        frozen: what is kept for evaluation and never learned from.
    """

    def __init__(
        self,
        folder: Path,
        bases: Finds,
        corrections: Callable[[], Sequence[Example]],
        frozen: Callable[[], Sequence[Example]],
    ) -> None:
        super().__init__(folder, corrections)
        self._bases = bases
        self._frozen = frozen

    def examine(self, dataset_id: str, task: Task, base: str = AUTO) -> Diagnosis:
        """Check every row, with the fixes applied that were chosen.

        Raises:
            DatasetError: the file cannot be read any more.
            ModelError: there is no such base.
            NotFound: there is no such dataset.
        """
        frozen = self._kept_apart()

        def work() -> Diagnosis:
            mapped = self.mapped(dataset_id)
            tokenizer = self._tokenizer(task, base)
            return data.examine(
                self._mended(dataset_id, task, tokenizer, frozen),
                mapped.findings,
                task,
                tokenizer,
                _longest(task),
                frozen,
                mapping=self.dataset(dataset_id).mapping,
                unread=mapped.unread,
            )

        return self._memory.get(("examined", *self.version(dataset_id), task, base, frozen), work)

    def learnable(self, dataset_id: str, task: Task, base: str = AUTO) -> Sequence[Example]:
        """What would be learned from now: fixes applied, rows with errors left out.

        Raises:
            DatasetError: the file cannot be read any more.
            ModelError: there is no such base.
            NotFound: there is no such dataset.
        """
        frozen = self._kept_apart()

        def work() -> Sequence[Example]:
            tokenizer = self._tokenizer(task, base)
            mended = self._mended(dataset_id, task, tokenizer, frozen)
            return data.ready_examples(mended, task, tokenizer, _longest(task), frozen)

        return self._memory.get(("learnable", *self.version(dataset_id), task, base, frozen), work)

    def cleaned(self, dataset_id: str) -> Path:
        """A CSV file of what would be learned from now, to download.

        Raises:
            DatasetError: the file cannot be read any more.
            NotFound: there is no such dataset.
        """
        source = self.source_file(dataset_id)
        path = source.parent.parent / "cleaned" / f"{source.stem}-cleaned.csv"
        path.parent.mkdir(exist_ok=True)
        data.write_cleaned(self.learnable(dataset_id, self._usual_task(dataset_id)), path)
        return path

    def preview(self, dataset_id: str, config: RunConfig, count: int = 5) -> Sequence[Preview]:
        """The first examples exactly as the model will see them.

        Raises:
            DatasetError: the file cannot be read any more.
            ModelError: there is no such base.
            NotFound: there is no such dataset.
        """
        folder = self._bases.tokenizer(config.base) if config.task == "chat" else None
        examples = self.learnable(dataset_id, config.task, config.base)[:count]
        return [data.preview(one, folder, config) for one in examples]

    def augmented(self, dataset_id: str, count: int) -> Sequence[tuple[str, str]]:
        """Some examples beside their rephrased copies.

        Raises:
            DatasetError: the file cannot be read any more.
            NotFound: there is no such dataset.
        """
        pairs: list[tuple[str, str]] = []
        for one in self.learnable(dataset_id, self._usual_task(dataset_id)):
            pairs += [(one.question, copy.question) for copy in data.augment([one], _SEED)]
            if len(pairs) >= count:
                break
        return pairs[:count]

    def parts(self, dataset_id: str, config: RunConfig) -> dict[Split, Sequence[Example]]:
        """The parts of a run. Rephrased copies are only in the training part, and corrections that
        are kept for evaluation only in the test part of a run on corrections.

        Raises:
            DatasetError: too little can be learned from.
            ModelError: there is no such base.
            NotFound: there is no such dataset.
        """
        examples = self.learnable(dataset_id, config.task, config.base)
        if len(examples) < _FEWEST:
            raise DatasetError(
                f"{self.dataset(dataset_id).name} has {len(examples)} examples that can be learned "
                f"from, but at least {_FEWEST} are needed. Mend the rows that the doctor has set "
                "aside, or add some."
            )
        parts = data.split(
            examples,
            config.validation_share,
            config.test_share,
            config.seed,
            config.task,
            self._kept_apart(),
        )
        train, test = parts["train"], parts["test"]
        if config.augment:
            # A copy that comes near what is measured on would teach the answer to it.
            apart = [*parts["validation"], *test]
            train = [*train, *data.augment(train, config.seed, apart)]
        if any(one.origin == "correction" for one in examples):
            # What is kept apart of the corrections is there to be measured on.
            test = [*test, *(data.as_task(one, config.task) for one in self._frozen())]
        return {**parts, "train": train, "test": test}

    def _mended(
        self, dataset_id: str, task: Task, tokenizer: Counting, frozen: Sequence[str]
    ) -> Sequence[Example]:
        """With the fixes applied; one that the doctor no longer knows is passed over."""
        examples: Sequence[Example] = self.mapped(dataset_id).examples
        fixes = self.dataset(dataset_id).fixes
        try:
            return data.apply_fixes(examples, fixes, task, tokenizer, _longest(task), frozen)
        except InvalidRequest:
            for fix in fixes:
                with suppress(InvalidRequest):
                    examples = data.apply_fixes(
                        examples, [fix], task, tokenizer, _longest(task), frozen
                    )
        return examples

    def _tokenizer(self, task: Task, base: str) -> Counting:
        """Counts tokens as the base does; for a classifier about."""
        if task == "classify":
            return data.estimated_tokens
        return ChatTokenizer.load(self._bases.tokenizer(base))

    def _usual_task(self, dataset_id: str) -> Task:
        labelled = self.dataset(dataset_id).mapping.format == "text_label"
        return "classify" if labelled else "chat"

    def _kept_apart(self) -> tuple[str, ...]:
        return tuple(one.question for one in self._frozen())


def _longest(task: Task) -> int:
    """At how many tokens an example is cut, unless somebody chooses otherwise."""
    decided = preset_values(task, "balanced", 1_000, gpu=False)
    return int(str(decided.get("max_length", RunConfig.model_fields["max_length"].default)))
