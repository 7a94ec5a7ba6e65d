"""Two answers to one question, side by side: what there is of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from chatapp.feedback_records import Vote

Side = Literal["left", "right"]
SIDES: Final[tuple[Side, Side]] = get_args(Side)


@dataclass(slots=True)
class Answer:
    """One of the two, as far as it has come.

    Attributes:
        waiting: requests in front of it.
        failure: why it could not be finished, in a sentence.
        stopped: whether it was given up before its end.
    """

    text: str = ""
    waiting: int = 0
    seconds: float | None = None
    failure: str = ""
    stopped: bool = False
    done: bool = False


@dataclass(slots=True)
class Comparison:
    """One question, and who answers on which side.

    Attributes:
        adapters: the two that were asked for; None is the base model.
        swapped: whether the second stands on the left.
        blind: whether the names are to be kept back until somebody has voted.
        voting: whether a verdict is just being kept.
    """

    id: str
    question: str
    adapters: tuple[str | None, str | None]
    swapped: bool
    blind: bool
    answers: dict[Side, Answer] = field(default_factory=lambda: {side: Answer() for side in SIDES})
    vote: Vote | None = None
    voting: bool = False

    @property
    def done(self) -> bool:
        """Whether both answers have ended."""
        return all(one.done for one in self.answers.values())

    @property
    def can_vote(self) -> bool:
        """Whether a verdict would be fair: nobody has been told the names, and both are whole."""
        whole = all(
            one.done and not one.failure and not one.stopped for one in self.answers.values()
        )
        return self.blind and whole and self.vote is None and not self.voting

    @property
    def names_hidden(self) -> bool:
        """Whether whoever looks must not know yet who wrote what."""
        return self.blind and self.vote is None

    def adapter(self, side: Side) -> str | None:
        """Who answers on this side."""
        first, second = self.adapters
        return second if (side == "left") == self.swapped else first
