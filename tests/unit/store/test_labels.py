"""Labels of messages: shown on the conversation, counted over days, gone with their message."""

from __future__ import annotations

from chatapp.store import Conversations, Database, MessageLabels, Messages
from chatapp.training_records import MessageLabel, Purpose


def label(label: str, purpose: Purpose = "intent") -> MessageLabel:
    return MessageLabel(purpose=purpose, label=label, confidence=0.75, adapter="one")


def test_labels_are_kept_replaced_and_counted(
    db: Database, conversations: Conversations, messages: Messages
) -> None:
    labels = MessageLabels(db)
    chat = conversations.create("ann", "tutor", "").id
    ids = [messages.add(chat, None, "user", f"Question {n}").id for n in range(3)]
    labels.put(ids[0], [label("refund"), label("angry", "sentiment")])
    labels.put(ids[1], [label("refund")])
    labels.put(ids[2], [label("退款")])
    assert labels.of_conversation(chat)[ids[0]] == [label("refund"), label("angry", "sentiment")]
    assert labels.counts("intent") == [("refund", 2), ("退款", 1)]
    labels.put(ids[2], [label("refund")])
    assert labels.counts("intent") == [("refund", 3)]
    assert labels.counts("intent", days=0) == []
    assert labels.counts("topic") == []
    labels.put("gone", [label("refund")])
    assert labels.counts("sentiment") == [("angry", 1)]
    assert labels.of_conversation("another") == {}
