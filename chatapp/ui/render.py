"""Records as the page shows them: Gradio's message dicts, and the quiet line under each turn."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, TypedDict

from chatapp.engine.base import Engine
from chatapp.records import Message, Persona
from chatapp.ui.icons import icon
from chatapp.ui.live import LiveAnswer
from chatapp.ui.texts import Words

_ENGINE_NAMES: Final = {"openvino": "OpenVINO", "remote": "remote server"}
_FENCE: Final = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)


class TextPart(TypedDict):
    """A typed part: unlike a bare string, Gradio leaves its indentation alone."""

    type: str
    text: str


class ChatbotMessage(TypedDict):
    """One message as ``gr.Chatbot`` takes it."""

    role: str
    content: list[TextPart]


@dataclass(frozen=True, slots=True)
class Thread:
    """The shown branch of one conversation.

    Attributes:
        siblings: for a message with alternatives, all of their ids, oldest first.
        live: the answer being written at its end, if there is one.
    """

    conversation_id: str
    messages: Sequence[Message]
    siblings: Mapping[str, Sequence[str]]
    live: LiveAnswer | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is being written."""
        return self.live is not None and not self.live.ended


def chatbot_messages(thread: Thread) -> list[ChatbotMessage]:
    """The branch as Gradio draws it."""
    return [
        {"role": m.role, "content": [{"type": "text", "text": _shown(m, thread)}]}
        for m in thread.messages
    ]


def _shown(message: Message, thread: Thread) -> str:
    if message.role == "user":
        return literal(message.text)
    return text_of(message, thread.live)


def text_of(message: Message, live: LiveAnswer | None) -> str:
    """An answer's text: what has just come, or what is stored."""
    if live is not None and live.answer_id == message.id:
        return live.text
    return message.text


def literal(text: str) -> str:
    """A person's text with its tags kept visible; code is already taken literally by Markdown."""
    parts = _FENCE.split(text)
    return "".join(
        part if index % 2 else part.replace("&", "&amp;").replace("<", "&lt;")
        for index, part in enumerate(parts)
    )


def turns_json(thread: Thread, words: Words, *, announce: bool = False) -> str:
    """What the page's script needs beside the texts: ids, raw texts and the line under each turn.

    While an answer grows this changes only with its phase, so that frames stay small.
    ``announce`` has the last answer read out to those who listen to the page.
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
                "foot": _foot(message, thread, words, growing=growing),
            }
        )
    said = words("answer_ready", text=thread.messages[-1].text) if announce else ""
    page = {
        "conversation": thread.conversation_id,
        "busy": thread.busy,
        "announce": said,
        "turns": turns,
    }
    return json.dumps(page, ensure_ascii=False)


def _foot(message: Message, thread: Thread, words: Words, *, growing: bool) -> str:
    if growing and thread.live is not None:
        return _dropped(thread.live.dropped_turns, words) + _progress(thread.live, words)
    versions = _versions(message, thread.siblings.get(message.id, ()), words)
    if message.role == "user":
        actions = _button("edit", words("edit")) + _button("undo", words("undo"))
        kind = "foot-line with-versions" if versions else "foot-line"
        return f'<div class="{kind}">{_button("copy", words("copy"))}{actions}{versions}</div>'
    actions = _button("retry", words("retry"))
    if message.text:
        actions = (
            _button("copy", words("copy"))
            + actions
            + _button("like", words("like"), pressed=message.liked is True)
            + _button("dislike", words("dislike"), pressed=message.liked is False)
        )
    state = _dropped(message.dropped_turns, words) + _state(message, words)
    return f'{state}<div class="foot-line">{actions}{versions}{_figures(message, words)}</div>'


def _progress(live: LiveAnswer, words: Words) -> str:
    match live.phase:
        case "queued":
            text = words("queued_one") if live.ahead == 1 else words("queued", ahead=live.ahead)
        case "writing":
            text = words("writing")
        case _:
            text = words("thinking")
    return (
        f'<div class="progress {live.phase}"><span class="pulse" aria-hidden="true"></span>'
        f"{escape(text)}</div>"
    )


def _state(message: Message, words: Words) -> str:
    if message.status == "failed":
        sentence = words.error(message.error_code, message.error or words("failed"))
        return (
            f'<div class="state failed" role="alert">{icon("alert")}<span>{escape(sentence)}'
            f'</span><button type="button" class="try-again" data-do="retry">'
            f"{escape(words('try_again'))}</button></div>"
        )
    if message.status == "stopped":
        return f'<div class="state">{escape(words("stopped"))}</div>'
    if message.status == "writing":
        return f'<div class="state">{escape(words("elsewhere"))}</div>'
    if message.finish_reason == "length":
        return f'<div class="state">{escape(words("cut_off"))}</div>'
    return ""


def _dropped(turns: int, words: Words) -> str:
    if turns == 0:
        return ""
    text = words("dropped_one") if turns == 1 else words("dropped", count=turns)
    return f'<div class="state dropped">{escape(text)}</div>'


def _figures(message: Message, words: Words) -> str:
    if message.usage is None or message.timing is None:
        return ""
    count, timing = message.usage.completion_tokens, message.timing
    figures = [words("seconds", total=timing.total)]
    if count:
        tokens = words("tokens_one") if count == 1 else words("tokens", count=count)
        figures = [tokens, *figures, words("first_token", first=timing.first_token)]
    if timing.queued >= 0.5:
        figures.append(words("waited", queued=timing.queued))
    return f'<span class="figures">{escape(" · ".join(figures))}</span>'


def _versions(message: Message, siblings: Sequence[str], words: Words) -> str:
    if len(siblings) < 2 or message.id not in siblings:
        return ""
    at = siblings.index(message.id)

    def arrow(step: int, label: str, sign: str) -> str:
        target = siblings[at + step] if 0 <= at + step < len(siblings) else None
        attributes = f'data-target="{escape(target)}"' if target else "disabled"
        return (
            f'<button type="button" data-do="show" {attributes} aria-label="{escape(label)}">'
            f"{sign}</button>"
        )

    label = words("versions", n=at + 1, of=len(siblings))
    return (
        f'<span class="versions" role="group" aria-label="{escape(label)}">'
        f"{arrow(-1, words('previous_version'), '‹')}<span>{at + 1}/{len(siblings)}</span>"
        f"{arrow(1, words('next_version'), '›')}</span>"
    )


def _button(action: str, label: str, *, pressed: bool | None = None) -> str:
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return (
        f'<button type="button" class="quiet" data-do="{action}" aria-label="{escape(label)}" '
        f'title="{escape(label)}"{state}>{icon(action)}</button>'
    )


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
