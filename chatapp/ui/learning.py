"""What the chat page needs of all that teaches; each part may be missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatapp.flows.comparing import Comparing
from chatapp.flows.feedback import Feedback
from chatapp.store import MessageLabels
from chatapp.training_records import Adapter


@dataclass(frozen=True, slots=True)
class Learning:
    """The ways back from the chat to what it learns from.

    Attributes:
        feedback: takes remarks on answers.
        labels: what the live classifiers said of questions; shown to staff.
        adapters: those of the chat model, newest first; picked and compared by staff. Blocking.
        comparing: asks two of them at once.
    """

    feedback: Feedback | None = None
    labels: MessageLabels | None = None
    adapters: Callable[[], Sequence[Adapter]] = tuple
    comparing: Comparing | None = None
