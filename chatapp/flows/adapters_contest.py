"""A candidate and the live adapter on the same questions, where their reports are on others.

What the live one has learned from is no test for it, and a newer file mostly holds the rows of the
older one. Those are left out; where too few remain, each report stands for its own test part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from chatapp.records import ChatMessage
from chatapp.training.chat import score_answers
from chatapp.training.data.rendering import conversation_of
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import Adapter, ChatReport, ClassifyReport, Example

MOST_QUESTIONS: Final = 40
"""Of a chat's contest: both adapters answer them, and somebody is waiting."""
_FEWEST: Final = 10

Answers = Callable[[Adapter, Sequence[Sequence[ChatMessage]]], Sequence[str] | None]
"""An adapter and conversations → its answers; None where no engine runs. Blocking."""
Labels = Callable[[Adapter, Sequence[str]], Sequence[str]]
"""A classifier and texts → their likeliest labels. Blocking."""


class Contest(NamedTuple):
    """What both said to the same questions, or each to its own: ``rows`` are then 0.

    ``mine`` and ``theirs`` are shares of right answers, 0 to 1; ``rouge_l`` decides between equals.
    """

    rows: int
    mine: float
    theirs: float
    rouge_l: tuple[float, float] = (0.0, 0.0)


class Contests:
    """Holds contests. Blocking.

    Args:
        runs: the folder of all runs, which have what adapters learned from.
    """

    def __init__(self, runs: Path, answers: Answers, labels: Labels) -> None:
        self._runs = runs
        self._answers = answers
        self._labels = labels
        self._held: dict[tuple[str, str], Contest] = {}

    def hold(self, candidate: Adapter, live: Adapter) -> Contest | None:
        """Let both answer; the same two are not asked twice. None: it cannot be told.

        Raises:
            ChatAppError: one of them cannot be asked now.
        """
        key = candidate.id, live.id
        if key not in self._held:
            match candidate.report, live.report:
                case ChatReport() as mine, theirs:
                    held = self._chat(candidate, mine, live, theirs)
                case ClassifyReport() as mine, theirs:
                    held = self._classifiers(mine, live, theirs)
                case _:
                    held = None
            if held is None:
                return None
            self._held[key] = held
        return self._held[key]

    def learned_of(self, adapter: Adapter, examples: Sequence[Example]) -> int:
        """How many of these an adapter has learned from, as far as its run is there."""
        learned = self._learned(adapter, every_part=adapter.slot != "chat")
        return sum(_key(one.question) in learned for one in examples)

    def _classifiers(self, mine: ClassifyReport, live: Adapter, theirs: object) -> Contest | None:
        learned = self._learned(live, every_part=True)
        asked = [one for one in mine.predictions if _key(one.text) not in learned]
        if len(asked) < min(_FEWEST, len(mine.predictions)):
            if isinstance(theirs, ClassifyReport):
                return Contest(0, mine.accuracy, theirs.accuracy)
            return None
        said = self._labels(live, [one.text for one in asked])
        return Contest(
            len(asked),
            _share(one.predicted == one.label for one in asked),
            _share(one.label == label for one, label in zip(asked, said, strict=True)),
        )

    def _chat(
        self, candidate: Adapter, mine: ChatReport, live: Adapter, theirs: object
    ) -> Contest | None:
        learned = self._learned(live, every_part=False)
        test = self._part(candidate, "test")
        asked = [one for one in test if _key(one.question) not in learned]
        if not test:
            return None
        if len(asked) < min(_FEWEST, len(test)):
            return _by_reports(mine, theirs) if isinstance(theirs, ChatReport) else None
        step = max(1, -(-len(asked) // MOST_QUESTIONS))
        asked = asked[::step]
        system = str(candidate.config.get("system_prompt", ""))
        prompts = [conversation_of(one, system)[:-1] for one in asked]
        scores = []
        for who in (candidate, live):
            if (answers := self._answers(who, prompts)) is None:
                return None
            scores.append(score_answers(who.name, [one.answer for one in asked], answers))
        own, other = scores
        return Contest(len(asked), own.contained, other.contained, (own.rouge_l, other.rouge_l))

    def _learned(self, adapter: Adapter, *, every_part: bool) -> frozenset[str]:
        """What an adapter has learned from; a classifier that goes live has learned from all."""
        parts = ("train", "validation", "test") if every_part else ("train", "validation")
        return frozenset(_key(one.question) for part in parts for one in self._part(adapter, part))

    def _part(self, adapter: Adapter, part: str) -> Sequence[Example]:
        folder = self._runs / (adapter.run_id or "-")
        if adapter.run_id is None or not folder.is_dir():
            return ()
        return RunFolder(folder).examples(part)  # type: ignore[arg-type]  # a Split


def _by_reports(mine: ChatReport, theirs: ChatReport) -> Contest:
    own, other = mine.adapter, theirs.adapter
    return Contest(0, own.contained, other.contained, (own.rouge_l, other.rouge_l))


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _share(right: Iterable[bool]) -> float:
    marks = list(right)
    return sum(marks) / max(1, len(marks))
