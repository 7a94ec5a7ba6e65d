"""The shown branch of a conversation, with the answer that is growing at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatapp.feedback_records import Remark
from chatapp.knowledge_records import Grounding
from chatapp.records import Message
from chatapp.training_records import MessageLabel
from chatapp.ui.live import LiveAnswer


@dataclass(frozen=True, slots=True)
class Thread:
    """The shown branch of one conversation.

    Attributes:
        siblings: for a message with alternatives, all of their ids, oldest first.
        live: the answer being written at its end, if there is one.
        remarks: what its reader said about answers, by the answer's id; withdrawn ones too.
        labels: what classifiers said of questions, by the question's id; for staff alone.
        for_staff: whether its reader sees what only staff see.
    """

    conversation_id: str
    messages: Sequence[Message]
    siblings: Mapping[str, Sequence[str]]
    live: LiveAnswer | None = None
    remarks: Mapping[str, Remark] = field(default_factory=dict)
    labels: Mapping[str, Sequence[MessageLabel]] = field(default_factory=dict)
    for_staff: bool = False

    @property
    def busy(self) -> bool:
        """Whether an answer is being written."""
        return self.live is not None and not self.live.ended


def text_of(message: Message, live: LiveAnswer | None) -> str:
    """An answer's text: what has just come, or what is stored."""
    return live.text if live is not None and grows(message, live) else message.text


def grounding_of(message: Message, live: LiveAnswer | None) -> Grounding | None:
    """What an answer leans on: what is known while it grows, or what is stored."""
    return live.grounding if live is not None and grows(message, live) else message.grounding


def grows(message: Message, live: LiveAnswer | None) -> bool:
    """Whether this is the answer that is being written."""
    return live is not None and live.answer_id == message.id
