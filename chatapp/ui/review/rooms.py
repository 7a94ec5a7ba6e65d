"""The lower floors, as the Review page needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatapp.feedback_records import Tally
from chatapp.flows.feedback import Feedback
from chatapp.flows.feedback_review import Review
from chatapp.store import Collections
from chatapp.training_records import Purpose

LabelCounts = Callable[[Purpose], Sequence[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class ReviewRooms:
    """What the page works with; all of it blocking.

    Attributes:
        tallies: how adapters fared against each other in blind votes.
        thumbs: how many answers were found good and bad lately.
        labels: how often each label of a purpose was given lately, most first.
    """

    review: Review
    feedback: Feedback
    collections: Collections
    tallies: Callable[[], Sequence[Tally]]
    thumbs: Callable[[], tuple[int, int]]
    labels: LabelCounts
    has_password: bool
