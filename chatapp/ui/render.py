"""Records as the page shows them: Gradio's message dicts, and what its script needs beside them."""

from __future__ import annotations

import json
from html import escape
from typing import Final, TypedDict

from chatapp.engine.base import Engine
from chatapp.knowledge_records import Grounding
from chatapp.records import Message, Persona
from chatapp.ui.citations import drawn
from chatapp.ui.foot import foot
from chatapp.ui.given import remark_facts
from chatapp.ui.markdown import literal
from chatapp.ui.route_line import route_line, route_name
from chatapp.ui.sources import sheet_key
from chatapp.ui.texts import Words
from chatapp.ui.thread import Thread, grounding_of, grows, text_of

_UNKNOWN: Final = Grounding(route="sources")
_ENGINE_NAMES: Final = {"openvino": "OpenVINO", "remote": "remote server"}


class TextPart(TypedDict):
    """A typed part: unlike a bare string, Gradio leaves its indentation alone."""

    type: str
    text: str


class ChatbotMessage(TypedDict):
    """One message as ``gr.Chatbot`` takes it."""

    role: str
    content: list[TextPart]


def chatbot_messages(thread: Thread, words: Words) -> list[ChatbotMessage]:
    """The branch as Gradio draws it."""
    return [
        {"role": m.role, "content": [{"type": "text", "text": _shown(m, thread, words)}]}
        for m in thread.messages
    ]


def _shown(message: Message, thread: Thread, words: Words) -> str:
    if message.role == "user":
        return literal(message.text)
    text, grounding = text_of(message, thread.live), grounding_of(message, thread.live)
    growing = grows(message, thread.live)
    if grounding is None and not growing and _cut_off(message):
        grounding = _UNKNOWN
    if grounding is None or grounding.route == "persona":
        return text
    return drawn(text, grounding, words, growing=growing)


def _cut_off(message: Message) -> bool:
    """Whether nobody has finished it, at least not here: what it leans on is not known."""
    return message.status in ("writing", "stopped") and message.timing is None


def turns_json(thread: Thread, words: Words, *, announce: bool = False, said: str = "") -> str:
    """What the page's script needs beside the texts: ids, raw texts and the line under each turn.

    While an answer grows this changes only with its phase, so that frames stay small.
    ``announce`` has the last answer read out to those who listen to the page; ``said`` another
    sentence.
    """
    turns = []
    last = len(thread.messages) - 1
    for index, message in enumerate(thread.messages):
        growing = thread.busy and index == last
        turns.append(
            {
                "id": message.id,
                "role": message.role,
                "text": "" if growing else text_of(message, thread.live),
                "foot": foot(message, thread, words, growing=growing),
                "sheet": sheet_key(grounding_of(message, thread.live)),
                **remark_facts(thread.remarks.get(message.id)),
            }
        )
    said = _announcement(thread.messages[-1], words) if announce else said
    page = {
        "conversation": thread.conversation_id,
        "busy": thread.busy,
        "announce": said,
        "turns": turns,
    }
    return json.dumps(page, ensure_ascii=False)


def _announcement(answer: Message, words: Words) -> str:
    said = words("answer_ready", text=answer.text)
    if answer.grounding is None or not route_line(answer.grounding, None, words):
        return said
    return f"{said} ({route_name(answer.grounding.route, words)})"


def welcome(persona: Persona, words: Words) -> str:
    """The empty state: one sentence and a few ways to start."""
    description = persona.descriptions.get(words.language, persona.description)
    starters = "".join(
        f'<button type="button" class="starter" data-do="starter">{escape(text)}</button>'
        for text in persona.translated_starters.get(words.language, persona.starters)[:4]
    )
    tried = f'<p class="try">{escape(words("try_one"))}</p>' if starters else ""
    return (
        f'<section class="welcome"><h1>{escape(words("welcome"))}</h1>'
        f"<p>{escape(description)}</p>{tried}"
        f'<div class="starters">{starters}</div></section>'
    )


def model_line(engine: Engine, words: Words) -> str:
    """The footer: what answers, and how much memory it holds."""
    if not engine.ready:
        return f'<p class="model-line">{escape(words("footer_loading"))}</p>'
    info = engine.info
    line = words(
        "footer",
        engine=_ENGINE_NAMES.get(info.engine, info.engine),
        model=info.model,
        quantization=info.quantization,
        device=info.device,
        context=info.context_length,
    )
    memory = words("footer_memory", gigabytes=engine.memory_bytes() / 2**30)
    return f'<p class="model-line">{escape(line)} · {escape(memory)}</p>'


def persona_name(persona: Persona, words: Words) -> str:
    """The persona's name in the reader's language."""
    return persona.names.get(words.language, persona.name)
