"""Quiet chips in the conversation that only staff see: who wrote, and what a question is about."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatapp.records import Message
from chatapp.training_records import MessageLabel
from chatapp.ui.texts import Words


def writer_chip(message: Message, words: Words) -> str:
    """The adapter that wrote an answer, or the base model; nothing where no model was asked."""
    if message.usage is None or not message.usage.completion_tokens:
        return ""
    name = adapter_name(message.adapter, words)
    title = escape(words("written_by", name=name))
    return f'<span class="chip" title="{title}">{escape(name)}</span>'


def adapter_name(adapter: str | None, words: Words) -> str:
    """An adapter for a person; None is the base model."""
    return adapter or words("base_model")


def labels_line(labels: Sequence[MessageLabel], words: Words) -> str:
    """What the classifiers said of a question."""
    chips = "".join(_label(one, words) for one in labels)
    return f'<p class="labels">{chips}</p>' if chips else ""


def _label(label: MessageLabel, words: Words) -> str:
    told = words(
        "label_sure",
        purpose=words(f"purpose_{label.purpose}"),
        percent=round(label.confidence * 100),
        adapter=label.adapter,
    )
    return f'<span class="chip" title="{escape(told)}">{escape(label.label)}</span>'
