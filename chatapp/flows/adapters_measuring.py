"""An adapter that is there already, measured on a file of labelled data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from chatapp.errors import DatasetError, InvalidRequest
from chatapp.training import data
from chatapp.training_records import Adapter, Example, Guess, Report, Task

_LONGEST = 131_072
"""Tokens; whatever the base reads is measured, and nothing is cut off."""


def read_test(path: Path, task: Task) -> Sequence[Example]:
    """The rows of a file that can be measured on; the same formats as for training.

    Raises:
        DatasetError: it cannot be read, or has no such row.
    """
    table = data.read_rows(path)
    mapping = _fitting(data.guess(table), task).mapping
    examples = data.to_examples(table, mapping).examples
    ready = data.ready_examples(examples, task, data.estimated_tokens, _LONGEST)
    if not ready:
        needed = "a text and a label" if task == "classify" else "a question and an answer"
        raise DatasetError(
            f"{path.name} has no row with {needed}, so there is nothing to compare with. Look at "
            f"it with: python -m chatapp doctor {path.name} --task {task}",
            file=path.name,
        )
    return ready


def measure(adapter: Adapter, examples: Sequence[Example], base: Callable[[], Path]) -> Report:
    """How good an adapter is on examples. Takes the time of its answers.

    Args:
        base: finds the dense weights of the chat's model; called for a chat adapter only.

    Raises:
        DatasetError: there is nothing to measure it on.
        InvalidRequest: such an adapter cannot be measured.
        ModelError: its files or its base cannot be loaded.
    """
    folder = Path(adapter.folder)
    if adapter.slot != "chat":
        from chatapp.training.classify import evaluate_folder

        return evaluate_folder(folder, examples)
    if adapter.kind != "lora":
        raise InvalidRequest(f"{adapter.name} is a {adapter.kind} adapter, which no engine serves.")
    from chatapp.training.chat import evaluate_adapter

    system_prompt = str(adapter.config.get("system_prompt", ""))
    return evaluate_adapter(base(), folder, examples, system_prompt)


def _fitting(guesses: Sequence[Guess], task: Task) -> Guess:
    """The likeliest layout that suits the task; else the likeliest, which may still do."""
    wanted = [
        one for one in guesses if (one.mapping.format == "text_label") == (task == "classify")
    ]
    return (wanted or list(guesses))[0]
